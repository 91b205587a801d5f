/**
 * A whole CDS configuration in the shape in which CDS's own `engine config new` prints one:
 * sections of other services, every kind of VCS server with placeholders, `bitbucket_cloud`, odd
 * cases, commented keys. The operator has to fill in what `fill` takes.
 */
export function fullConfig(fill: {
  vcsName?: string;
  hooksName?: string;
  token?: string;
  clientId?: string;
  clientSecret?: string;
}): string {
  const token = fill.token ?? 'enter sharedInfraToken from section [api.auth] here';
  return `
#####################
# API
#####################
[api]
  URL = "http://localhost:8081"
  Name = ""
  name = "the same key in another case is no business of ours"

  [api.auth]
    defaultGroup = ""
    sharedInfraToken = "${token}"

  [api.http]
    port = "8081"

  [api.unknown.table]
    key = [1, { a = "x" }, """
[vcs]
name = "not a key, a text"
"""]

[database]
  name = "cds"
  port = 5432

[elasticSearch]
  name = ""

[hatchery]

  [hatchery.local]
    basedir = "/var/lib/cds-engine"

    [hatchery.local.commonConfiguration]
      name = ""

#####################
# Hooks
#####################
[hooks]
  URL = "http://localhost:8083"
  disable = false
  executionHistory = 10
  name = "${fill.hooksName ?? ''}"
  retryDelay = 120
  retryError = 3
  urlPublic = ""

  [hooks.api]
    maxHeartbeatFailures = 10
    requestTimeout = 10
    token = "${token}"

    [hooks.api.grpc]
      # insecure = false
      url = "http://localhost:8082"

    [hooks.api.http]
      # insecure = false
      url = "http://localhost:8081"

  [hooks.cache]
    ttl = 60

    [hooks.cache.redis]
      host = "localhost:6379"
      password = ""

  [hooks.http]
    # addr = ""
    port = 8083

[log]
  level = ""

  [log.graylog]
    extraKey = ""
    extraValue = ""
    host = ""
    port = 0
    protocol = ""

[tracing]
  enable = false

#####################
# VCS
#####################
[vcs]
  URL = "http://localhost:8084"
  name = "${fill.vcsName ?? ''}"

  [vcs.UI]

    [vcs.UI.http]
      url = "http://localhost:2015"

  [vcs.api]
    maxHeartbeatFailures = 10
    requestTimeout = 10
    token = "${token}"

    [vcs.api.grpc]
      url = "http://localhost:8082"

    [vcs.api.http]
      url = "http://localhost:8081"

  [vcs.cache]
    ttl = 60

    [vcs.cache.redis]
      host = "localhost:6379"
      password = ""

  [vcs.http]
    port = 8084

  [vcs.servers]

    [vcs.servers.Bitbucket]
      url = "https://bitbucket.example.org"

      [vcs.servers.Bitbucket.bitbucket]
        consumerKey = "xxxxx"
        disablePolling = false
        privateKey = "xxxxx"
        token = ""
        username = ""

        [vcs.servers.Bitbucket.bitbucket.Status]
          # disable = false

    [vcs.servers.Gerrit]
      url = "http://localhost:8080"

      [vcs.servers.Gerrit.gerrit]
        disableGerritEvent = false
        sshport = 29418

        [vcs.servers.Gerrit.gerrit.EventStream]
          user = "myuser"

        [vcs.servers.Gerrit.gerrit.Reviewer]
          user = "myreviewer"

    [vcs.servers.Github]
      url = "https://github.com"

      [vcs.servers.Github.github]
        apiUrl = "https://api.github.com"
        clientId = "xxxxx"
        clientSecret = "xxxxx"
        disableWebHooks = false
        proxyWebhook = "https://myproxy.com"

    [vcs.servers.Gitlab]
      url = "https://gitlab.com"

      [vcs.servers.Gitlab.gitlab]
        appId = "xxxxx"
        callbackUrl = "http://localhost:8081/repositories_manager/oauth2/callback"
        secret = "xxxxx"

    [vcs.servers.bitbucketcloud]
      url = ""

      [vcs.servers.bitbucketcloud.bitbucket_cloud]
        clientId = "${fill.clientId ?? 'xxxxx'}"
        clientSecret = "${fill.clientSecret ?? 'xxxxx'}"
        disableWebHooks = false
        # proxyWebhook = "https://myproxy.com"

        [vcs.servers.bitbucketcloud.bitbucket_cloud.Status]
          # disable = false
          # showDetail = false
`;
}

/** The same, ready to start with. */
export const FILLED_IN = {
  vcsName: 'cds-vcs',
  hooksName: 'cds-hooks',
  token: 'a-token-that-nobody-may-see',
  clientId: 'a-client',
  clientSecret: 'a-secret-that-nobody-may-see',
};
