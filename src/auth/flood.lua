-- Counts the anonymous and failed requests of one address.
--
-- 1. A blocked address holds 'b' under its key until the block ends; it is not counted further.
-- 2. The first request of a window opens it; the key dies with the window.
-- 3. The request that passes the limit turns the key into a block.
--
-- Invariant: one key per address, and it always has an expiry.
--
-- KEYS[1] the address     ARGV[1] window in ms, ARGV[2] limit, ARGV[3] block in ms
-- Returns { hits, ms until the window ends, ms until the block ends (0 = not blocked) }
local value = redis.call('GET', KEYS[1])
local limit = tonumber(ARGV[2])
if value == 'b' then
  return { limit + 1, 0, math.max(redis.call('PTTL', KEYS[1]), 1) }
end
local hits = redis.call('INCR', KEYS[1])
if hits == 1 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
if hits > limit then
  redis.call('SET', KEYS[1], 'b', 'PX', ARGV[3])
  return { hits, 0, tonumber(ARGV[3]) }
end
return { hits, redis.call('PTTL', KEYS[1]), 0 }
