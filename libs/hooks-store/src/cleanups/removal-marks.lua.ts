/**
 * Lua functions about removals that the API was asked for. `under_way` names hook and holder, and
 * is kept before the call is sent; it goes when the API has answered, or nothing was sent. `unsure`
 * stands for one that somebody else asked for before, and of which nobody knows what became: the
 * API may still be about to do it.
 */
export const REMOVAL_MARKS = `
local function markUnderWay(record, mark)
  local before = redis.call('HGET', record, 'under_way')
  if before and before ~= mark then redis.call('HSET', record, 'unsure', '1') end
  redis.call('HSET', record, 'under_way', mark)
end
local function isUnsure(record)
  local kept = redis.call('HMGET', record, 'status', 'under_way', 'unsure')
  return kept[1] == 'waiting' and (kept[2] or kept[3]) and true or false
end
`;

/**
 * Lua function: whether a cleanup waits as it was read. Another job may have tried it meanwhile:
 * then it is in a pause, and has more errors.
 */
export const IS_AS_READ = `
local function isAsRead(record, accepted, due, retryAt, outages)
  local kept = redis.call('HMGET', record, 'accepted', 'status', 'due', 'retry_at', 'outages')
  if kept[1] ~= accepted or kept[2] ~= 'waiting' then return false end
  return tonumber(kept[3]) == tonumber(due) and (tonumber(kept[4]) or 0) == tonumber(retryAt)
    and (tonumber(kept[5]) or 0) == tonumber(outages)
end
`;
