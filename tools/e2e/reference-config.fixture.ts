/**
 * A configuration in the shape that the reference's `engine config new` prints: every VCS server it
 * knows with placeholders, the key `bitbucket_cloud`, keys commented out, empty names.
 */
export const REFERENCE_SHAPED_CONFIG = `
[log]
  level = ""
  [log.graylog]
    extraKey = ""
    host = ""
    port = 0

[vcs]
  URL = "http://localhost:8084"
  name = ""
  [vcs.UI]
    [vcs.UI.http]
      url = "http://localhost:2015"
  [vcs.api]
    maxHeartbeatFailures = 10
    requestTimeout = 10
    token = "enter sharedInfraToken from section [api.auth] here"
    [vcs.api.grpc]
      # insecure = false
      url = "http://localhost:8082"
    [vcs.api.http]
      # insecure = false
      url = "http://localhost:8081"
  [vcs.cache]
    ttl = 60
    [vcs.cache.redis]
      host = "localhost:6379"
      password = ""
  [vcs.http]
    # addr = ""
    port = 8084
  [vcs.servers]
    [vcs.servers.Bitbucket]
      url = "https://mybitbucket.com"
      [vcs.servers.Bitbucket.bitbucket]
        consumerKey = "xxxxx"
        disablePolling = false
        privateKey = "xxxxx"
        [vcs.servers.Bitbucket.bitbucket.Status]
          # disable = false
    [vcs.servers.Gerrit]
      url = "http://localhost:8080"
      [vcs.servers.Gerrit.gerrit]
        disableGerritEvent = false
        # sshport = 29418
    [vcs.servers.Github]
      url = "https://github.com"
      [vcs.servers.Github.github]
        apiUrl = "https://api.github.com"
        clientId = "xxxxx"
        clientSecret = "xxxxx"
    [vcs.servers.Gitlab]
      url = "https://gitlab.com"
      [vcs.servers.Gitlab.gitlab]
        appId = "xxxxx"
        secret = "xxxxx"
    [vcs.servers.bitbucketcloud]
      url = ""
      [vcs.servers.bitbucketcloud.bitbucket_cloud]
        clientId = "xxxxx"
        clientSecret = "xxxxx"
        disableWebHooks = false
        # proxyWebhook = "https://myproxy.com"
        [vcs.servers.bitbucketcloud.bitbucket_cloud.Status]
          # disable = false
          # showDetail = false

[hooks]
  URL = "http://localhost:8083"
  disable = false
  executionHistory = 10
  name = ""
  retryDelay = 120
  retryError = 3
  urlPublic = ""
  [hooks.api]
    maxHeartbeatFailures = 10
    requestTimeout = 10
    token = "enter sharedInfraToken from section [api.auth] here"
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
`;
