-- Admits a request against all of its limits at once, or changes nothing.
--
-- 1. A known request id is never admitted twice: an open reservation answers what it answered before, a settled or
--    cancelled one refuses.
-- 2. Every item is read and compared; all violations are collected.
-- 3. Without a violation every item is charged, and the record and its lease are written. With one, nothing is.
--
-- Invariant of W: what was admitted in any window never exceeds the limit. Bucket width w = p1 / p2; a bucket counts
-- while it is not older than p2 buckets before the newest, so that everything younger than p1 is always counted. The
-- newest bucket number never goes back, whatever the clock does.
--
-- KEYS  reservation record, leases of the tenant, item 1..n
-- ARGV  request id, lease ms, n, meta, then of each item: type, mode, limit, cost, p1, p2
--       type W (sliding window: p1 window ms, p2 buckets), C (concurrency), B (budget: p1 window end ms, 0 = none;
--       p2 expiry ms, 0 = none); mode e (enforced) or s (shadow: counted, never refuses);
--       limit -1 = only counted, 0 = refuses all
-- Reply {1, 'ok' or 'dup', now, "used after, per item"}
--       {0, 'over', now, "used, per item", "item retry-after-ms ..."}; retry -1 = can never fit
--       {2, state, now} the request id is used up
--       {3, 'stale_window', now} a budget's window is over; ask again with the next one
-- Numbers go to the store as decimal text: Lua's own tostring turns large ones into 1e+15.

local rv, rx = KEYS[1], KEYS[2]
local rid, lease, n, meta = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local call, floor, concat = redis.call, math.floor, table.concat
-- Adding 0 turns -0, which is no integer to the store, into 0.
local function text(x) return string.format('%.0f', x + 0) end

local known = call('HMGET', rv, 'st', 'rn', 'rs')
if known[1] == 'R' then return {1, 'dup', known[2], known[3]} end

local time = call('TIME')
local now = tonumber(time[1]) * 1000 + floor(tonumber(time[2]) / 1000)
if known[1] then return {2, known[1], text(now)} end

local function retry_window(fields, sum, limit, cost, width, buckets, oldest)
  if cost > limit then return -1 end
  local live = {}
  for f = 1, #fields, 2 do
    local b = tonumber(fields[f])
    if b >= oldest then live[#live + 1] = {b, tonumber(fields[f + 1])} end
  end
  table.sort(live, function(x, y) return x[1] < y[1] end)
  for i = 1, #live do
    sum = sum - live[i][2]
    if sum + cost <= limit then return math.ceil((live[i][1] + buckets + 1) * width) - now end
  end
  return -1
end

local used, after, violations, bucket, stale = {}, {}, {}, {}, {}
local at = 5
for i = 1, n do
  local key, kind, mode = KEYS[i + 2], ARGV[at], ARGV[at + 1]
  local limit, cost = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local p1, p2 = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
  local sum, fields, width, oldest = 0, nil, nil, nil
  if kind == 'W' then
    width = p1 / p2
    fields = call('HGETALL', key)
    local newest = floor(now / width)
    for f = 1, #fields, 2 do
      local b = tonumber(fields[f])
      if b > newest then newest = b end
    end
    oldest = newest - p2
    local old
    for f = 1, #fields, 2 do
      if tonumber(fields[f]) >= oldest then
        sum = sum + tonumber(fields[f + 1])
      else
        old = old or {'HDEL', key}
        old[#old + 1] = fields[f]
      end
    end
    bucket[i], stale[i] = text(newest), old
  elseif kind == 'C' then
    sum = call('ZCOUNT', key, '(' .. text(now), '+inf')
  else
    if p1 > 0 and now >= p1 then return {3, 'stale_window', text(now)} end
    local held = call('HMGET', key, 's', 'h')
    sum = tonumber(held[1] or 0) + tonumber(held[2] or 0)
  end
  if limit >= 0 and mode == 'e' and (limit == 0 or sum + cost > limit) then
    local retry = -1
    if limit == 0 then
      retry = -1
    elseif kind == 'W' then
      retry = retry_window(fields, sum, limit, cost, width, p2, oldest)
    elseif cost <= limit then
      retry = (kind == 'C') and 1000 or ((p1 > 0) and (p1 - now) or -1)
    end
    violations[#violations + 1] = i .. ' ' .. text(retry)
  end
  used[i], after[i] = text(sum), text(sum + cost)
  at = at + 6
end
if #violations > 0 then return {0, 'over', text(now), concat(used, ' '), concat(violations, ' ')} end

local items = {}
at = 5
for i = 1, n do
  local key, kind, cost, p1, p2 = KEYS[i + 2], ARGV[at], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]
  local place = '0'
  if kind == 'W' then
    place = bucket[i]
    -- A bucket's first charge renews the key's life and drops what no longer counts.
    if call('HINCRBY', key, place, cost) == tonumber(cost) then
      if stale[i] then call(unpack(stale[i])) end
      call('PEXPIRE', key, text(2 * tonumber(p1)))
    end
  elseif kind == 'C' then
    call('ZREMRANGEBYSCORE', key, '-inf', text(now))
    call('ZADD', key, text(now + lease), rid)
    call('PEXPIRE', key, text(2 * lease))
  else
    call('HINCRBY', key, 'h', cost)
    if tonumber(p2) > 0 then call('PEXPIREAT', key, p2) end
  end
  items[i] = kind .. ' ' .. cost .. ' ' .. p2 .. ' ' .. place
  at = at + 6
end
local answer = concat(after, ' ')
call('HSET', rv, 'st', 'R', 'it', concat(items, ' '), 'rn', text(now), 'rs', answer, 'm', meta)
call('PEXPIRE', rv, '172800000')
call('ZADD', rx, text(now + lease), rid)
return {1, 'ok', text(now), answer}
