-- The request ids of a tenant whose lease is over, oldest first.
--
-- KEYS  leases of the tenant
-- ARGV  how many at most

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'LIMIT', '0', ARGV[1])
