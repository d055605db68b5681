-- One step of the shared request budget: the rules of windows.py, in one round trip.
-- KEYS: the ledger.
-- ARGV: now or 0, quarter, margin, least pause, close, take, kept permille,
--       taken at, heard at, refused, used x4, limits x4,
--       and what the caller knows: quarter, day, used x4, limits x4, paused until.
-- Answer: wait until or 0, now, quarter, day, used x4, limits x4, paused until.
local DAY = 86400000
local arg = {}
for place, text in ipairs(ARGV) do arg[place] = tonumber(text) end
local now, quarter, margin, least_pause, close = arg[1], arg[2], arg[3], arg[4], arg[5]
local take, kept, taken_at, heard_at, refused = arg[6], arg[7], arg[8], arg[9], arg[10]
if now == 0 then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local spans = {quarter, quarter, DAY, DAY}
local function number(at, span) return math.floor(at / span) end
local function ending(at, span) return (number(at, span) + 1) * span end

-- What Redis knows, then what the caller knows, as far as both speak of now.
local fields = {'quarter', 'day', 'used1', 'used2', 'used3', 'used4',
  'limit1', 'limit2', 'limit3', 'limit4', 'paused_until'}
local stored = redis.call('HMGET', KEYS[1], unpack(fields))
local used, limits, paused = {0, 0, 0, 0}, {0, 0, 0, 0}, 0
local function add(knows)
  for place, span in ipairs(spans) do
    local window = knows(place <= 2 and 1 or 2)
    if window == number(now, span) then
      used[place] = math.max(used[place], knows(2 + place))
    end
    if limits[place] == 0 then limits[place] = knows(6 + place) end
  end
  local until_then = knows(11)
  if until_then > now and until_then <= now + DAY then
    paused = math.max(paused, until_then)
  end
end
add(function(place) return tonumber(stored[place] or 0) or 0 end)
add(function(place) return arg[18 + place] end)

-- What Strava says.
local spoken_at = now
if math.abs(heard_at - now) <= close then spoken_at = heard_at end
for place, span in ipairs(spans) do
  if number(spoken_at, span) == number(now, span) then
    used[place] = math.max(used[place], arg[10 + place])
  end
  if arg[14 + place] > 0 then limits[place] = arg[14 + place] end
end
if refused == 1 then
  local span = quarter
  if used[3] >= limits[3] or used[4] >= limits[4] then span = DAY end
  paused = math.max(paused, ending(spoken_at, span), now + least_pause)
end

-- What the caller wants.
local wait = 0
if take == 1 then
  wait = paused
  if ending(now, quarter) - now <= margin then
    wait = math.max(wait, ending(now, quarter))
  end
  for place, span in ipairs(spans) do
    local left, room = ending(now, span) - now, limits[place] - used[place] - 1
    local enough = span
    if room < 0 then
      enough = 0
    elseif limits[place] * kept > 0 then
      enough = math.min(span, math.floor(
        ((2 * room + 1) * 1000 * span - 1) / (2 * limits[place] * kept)))
    end
    if left > enough then wait = math.max(wait, now + left - enough) end
  end
end
for place, span in ipairs(spans) do
  if take == 1 and wait == 0 then
    used[place] = used[place] + 1
  elseif take == -1 and number(taken_at, span) == number(now, span) then
    used[place] = math.max(0, used[place] - 1)
  end
end

local after = {number(now, quarter), number(now, DAY), used[1], used[2], used[3],
  used[4], limits[1], limits[2], limits[3], limits[4], paused}
local row = {}
for place, field in ipairs(fields) do
  row[2 * place - 1], row[2 * place] = field, string.format('%.0f', after[place])
end
redis.call('HSET', KEYS[1], unpack(row))
redis.call('PEXPIRE', KEYS[1], 2 * DAY)
return {wait, now, unpack(after)}
