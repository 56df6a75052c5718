-- Says that a request is still alive: its reservation and its concurrency slots are kept for another lease. A slot
-- whose lease is over is not taken back, because somebody else may have it by now.
--
-- KEYS  reservation record, leases of the tenant, concurrency items of the request
-- ARGV  request id, lease ms
-- Reply {1, now}, or {0, now} when the reservation is not open any more

local rid, lease = ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local now_text = string.format('%.0f', now)
if redis.call('HGET', KEYS[1], 'st') ~= 'R' then return {0, now_text} end
local until_ms = string.format('%.0f', now + lease)
redis.call('ZADD', KEYS[2], until_ms, rid)
for i = 3, #KEYS do
  local score = redis.call('ZSCORE', KEYS[i], rid)
  if score and tonumber(score) > now then
    redis.call('ZADD', KEYS[i], until_ms, rid)
    redis.call('PEXPIRE', KEYS[i], string.format('%.0f', 2 * lease))
  end
end
return {1, now_text}
