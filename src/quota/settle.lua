-- Ends a reservation: exactly one effect for one request id, however often and in whatever order it is asked.
--
-- 1. Settled or cancelled before: nothing.
-- 2. settle of an open reservation: holds and leases go, budgets are charged what was really used, the window's bucket
--    that was reserved in is corrected (if it still counts), and the ledger gets its line.
-- 3. settle after an orphan's sweep: only the difference is charged, as an `adjust` line.
-- 4. settle without a record (the store lost it, or the request was admitted without the store): budgets are charged,
--    nothing is released, as a `late` line.
-- 5. cancel: all that was reserved is given back, no line; without a record a tombstone, so that a reserve that comes
--    later is refused.
-- 6. orphan: as settle, but only while the reservation is open and its lease is over: a renewal wins the race. The
--    owner may still settle (3). Without an open reservation the stray lease is dropped.
--
-- KEYS  reservation record, leases of the tenant, ledger, item 1..n as they were reserved
-- ARGV  request id, kind, tombstone ms, ledger length (about; 0 = unbounded), n, charge in nano-dollars, prompt tokens,
--       completion tokens, then of each item: type, actual, expiry ms (B; else 0), then the ledger's further fields
-- Reply {1, 'settle' 'adjust' 'late' 'orphan' 'cancel' or 'tombstone', now} or {0, 'dup' 'alive' or 'gone', now}
-- Ledger lines carry differences (`d`, `in`, `out`): their sums over a request id are its final amounts. Numbers go to
-- the store as decimal text, see reserve.lua.

local rv, rx, us = KEYS[1], KEYS[2], KEYS[3]
local rid, kind, tombstone, length, n = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local call = redis.call
-- Adding 0 turns -0, which is no integer to the store, into 0.
local function text(x) return string.format('%.0f', x + 0) end
local function words(s)
  local list = {}
  for word in string.gmatch(s, '%S+') do list[#list + 1] = word end
  return list
end

local time = call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local record = call('HMGET', rv, 'st', 'it', 'ch')
local state = record[1]

if kind == 'orphan' and state ~= 'R' then
  call('ZREM', rx, rid)
  return {0, 'gone', text(now)}
end
if state == 'S' or state == 'C' then return {0, 'dup', text(now)} end
if kind == 'orphan' then
  local lease = call('ZSCORE', rx, rid)
  if lease and tonumber(lease) > now then return {0, 'alive', text(now)} end
end
if kind == 'cancel' and not state then
  call('HSET', rv, 'st', 'C')
  call('PEXPIRE', rv, tombstone)
  return {1, 'tombstone', text(now)}
end

-- What each item was reserved or charged with so far, and where.
local items = state and words(record[2]) or {}
if state and #items ~= n * 4 then return redis.error_reply('ERR TOLLGATE the items settled are not those reserved') end
local charged = (state == 'X') and words(record[3]) or {'0', '0', '0'}

local is_cancel = kind == 'cancel'
local line = (state == 'X') and 'adjust' or ((not state) and 'late' or kind)
local actuals = {}
local at = 9
for i = 1, n do
  local key, type, actual, expiry = KEYS[i + 3], ARGV[at], is_cancel and '0' or ARGV[at + 1], ARGV[at + 2]
  local amount = tonumber(actual)
  local before = state and tonumber((state == 'X') and charged[i + 3] or items[i * 4 - 2]) or 0
  if type == 'W' then
    local place = state and items[i * 4]
    if state and amount ~= before and call('HEXISTS', key, place) == 1 then
      call('HINCRBY', key, place, text(amount - before))
    end
  elseif type == 'C' then
    if state then call('ZREM', key, rid) end
  else
    local is_new = call('EXISTS', key) == 0
    if state == 'R' and call('HINCRBY', key, 'h', text(-before)) < 0 then call('HSET', key, 'h', '0') end
    local delta = (state == 'X') and (amount - before) or amount
    if delta ~= 0 then call('HINCRBY', key, 's', text(delta)) end
    if is_new and tonumber(expiry) > 0 then call('PEXPIREAT', key, expiry) end
  end
  actuals[i] = actual
  at = at + 3
end

local totals = {}
for i = 1, 3 do totals[i] = is_cancel and 0 or tonumber(ARGV[5 + i]) end

if line ~= 'cancel' then
  local entry = {'XADD', us}
  if length ~= '0' then
    entry[3], entry[4], entry[5] = 'MAXLEN', '~', length
  end
  local function add(...)
    for _, word in ipairs({...}) do entry[#entry + 1] = word end
  end
  add('*', 'rid', (line == 'adjust') and (rid .. '#adjust') or rid, 'k', line)
  add('d', text(totals[1] - tonumber(charged[1])))
  add('in', text(totals[2] - tonumber(charged[2])), 'out', text(totals[3] - tonumber(charged[3])))
  for i = at, #ARGV do entry[#entry + 1] = ARGV[i] end
  call(unpack(entry))
end

call('ZREM', rx, rid)
if line == 'orphan' then
  local sums = text(totals[1]) .. ' ' .. text(totals[2]) .. ' ' .. text(totals[3]) .. ' ' .. table.concat(actuals, ' ')
  call('HSET', rv, 'st', 'X', 'ch', sums)
  call('HDEL', rv, 'rn', 'rs', 'm')
else
  call('DEL', rv)
  call('HSET', rv, 'st', is_cancel and 'C' or 'S')
end
call('PEXPIRE', rv, (line == 'orphan') and '172800000' or tombstone)
return {1, line, text(now)}
