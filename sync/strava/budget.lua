-- Strava's request limits: the rule that decides about every request, in one round
-- trip.  It knows two windows (a quarter of an hour on the wall clock, a UTC day) with
-- two limits each (all requests, reads), the lanes' reserves, the runners' shares and
-- Strava's pauses.
-- Times are milliseconds since 1970.
--
-- KEYS[1]  the ledger: a hash that all processes share; beside it, under names that
--          begin with this one, a hash for each window with the runners' shares
-- ARGV[1]  JSON: `now_ms` (0 for Redis's own clock), a `step` and the `ledger` as the
--          caller knows it, both as sync/strava/rate_limits.py defines them
-- Answer   JSON: `wait_until_ms` (0 if granted), `now_ms` and the `ledger` afterwards
local QUARTER_MS, DAY_MS = 900000, 86400000
local LENGTHS_MS = {QUARTER_MS, QUARTER_MS, DAY_MS, DAY_MS}
-- Thousandths of a limit that each lane leaves to the lanes above it when the window
-- begins; the reserve shrinks evenly, and at the window's end nothing is left unused.
local RESERVE_PERMILLE = {[0] = 0, [1] = 50, [2] = 150, [3] = 300}
-- What events ask for may be asked for by whoever knows the hook's address.  A runner
-- is sure of a share of each window's reads; beyond it all runners together have a pool
-- which, over a day, fills evenly.  So neither one runner nor fifty can use up what the
-- others need.
local SHARES = {
  {name = 'quarter', length_ms = QUARTER_MS, limit = 2, permille = 10, at_least = 1},
  {name = 'day', length_ms = DAY_MS, limit = 4, permille = 5, at_least = 3},
}
local POOL_PERMILLE = {quarter = 300, day = 250}
-- A request in a quarter's last moment may be counted by Strava in the next one.
local MARGIN_MS = 1000
local MIN_PAUSE_MS = 5000
-- Further apart than this, Strava's clock and ours do not mean the same time.
local MAX_CLOCK_SKEW_MS = 60000

local request = cjson.decode(ARGV[1])
local step, now_ms = request.step, request.now_ms
local sharer_id = step.sharer_id or 0
if now_ms == 0 then
  local time = redis.call('TIME')
  now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function window(at_ms, length_ms) return math.floor(at_ms / length_ms) end
local function window_end(at_ms, length_ms)
  return (window(at_ms, length_ms) + 1) * length_ms
end

-- Merge the stored ledger and the caller's, so that an emptied Redis learns again at
-- once what it knew.  Counts of other windows than the present ones are over.
local FIELDS = {'quarter', 'day', 'used1', 'used2', 'used3', 'used4',
  'limit1', 'limit2', 'limit3', 'limit4', 'paused_until'}
local stored = redis.call('HMGET', KEYS[1], unpack(FIELDS))
for index = 1, #FIELDS do stored[index] = tonumber(stored[index] or 0) or 0 end
local used, limits, paused_until_ms = {0, 0, 0, 0}, {0, 0, 0, 0}, 0
local function merge(ledger)
  local windows = {ledger.quarter, ledger.quarter, ledger.day, ledger.day}
  for index, length_ms in ipairs(LENGTHS_MS) do
    if windows[index] == window(now_ms, length_ms) then
      used[index] = math.max(used[index], ledger.used[index])
    end
    if limits[index] == 0 then limits[index] = ledger.limits[index] end
  end
  local until_ms = ledger.paused_until_ms
  if until_ms > now_ms and until_ms <= now_ms + DAY_MS then
    paused_until_ms = math.max(paused_until_ms, until_ms)
  end
end
merge({quarter = stored[1], day = stored[2],
  used = {stored[3], stored[4], stored[5], stored[6]},
  limits = {stored[7], stored[8], stored[9], stored[10]},
  paused_until_ms = stored[11]})
merge(request.ledger)

-- Believe Strava's limits, and its counts where they are higher than ours: ours may
-- rightly be the higher ones, for they hold the requests that are still on their way.
local report, reported_at_ms = step.report, now_ms
if math.abs(report.at_ms - now_ms) <= MAX_CLOCK_SKEW_MS then
  reported_at_ms = report.at_ms
end
for index, length_ms in ipairs(LENGTHS_MS) do
  if window(reported_at_ms, length_ms) == window(now_ms, length_ms) then
    used[index] = math.max(used[index], report.used[index])
  end
  if report.limits[index] > 0 then limits[index] = report.limits[index] end
end
-- A 429 stops everybody until the end of the window that is used up.
if step.refused then
  local length_ms = QUARTER_MS
  if used[3] >= limits[3] or used[4] >= limits[4] then length_ms = DAY_MS end
  paused_until_ms = math.max(paused_until_ms,
    window_end(reported_at_ms, length_ms), now_ms + MIN_PAUSE_MS)
end

-- Return how close its end a window must be for the lane's reserve, rounded to whole
-- requests, to fit into what remains after one more request.
local function reserve_fits_ms(remaining, limit, length_ms)
  if remaining < 0 then return 0 end
  local reserve = limit * RESERVE_PERMILLE[step.lane]
  if reserve <= 0 then return length_ms end
  return math.min(length_ms,
    math.floor(((2 * remaining + 1) * 1000 * length_ms - 1) / (2 * reserve)))
end

local wait_until_ms = 0
if step.action == 'take' then
  wait_until_ms = paused_until_ms
  local quarter_end_ms = window_end(now_ms, QUARTER_MS)
  if quarter_end_ms - now_ms <= MARGIN_MS then
    wait_until_ms = math.max(wait_until_ms, quarter_end_ms)
  end
  for index, length_ms in ipairs(LENGTHS_MS) do
    local left_ms = window_end(now_ms, length_ms) - now_ms
    local fits_ms =
      reserve_fits_ms(limits[index] - used[index] - 1, limits[index], length_ms)
    if left_ms > fits_ms then
      wait_until_ms = math.max(wait_until_ms, now_ms + left_ms - fits_ms)
    end
  end
end
-- Read what a runner, and all runners beyond their shares, have used of a window.
local function read_share(share)
  local key = KEYS[1] .. ':' .. share.name
  local current = string.format('%.0f', window(now_ms, share.length_ms))
  if redis.call('HGET', key, 'window') ~= current then
    redis.call('DEL', key)
    redis.call('HSET', key, 'window', current)
    redis.call('PEXPIRE', key, 2 * share.length_ms)
  end
  local sharer = string.format('%.0f', sharer_id)
  local counts = redis.call('HMGET', key, sharer, 'beyond')
  local limit = limits[share.limit]
  return {key = key, sharer = sharer,
    used = tonumber(counts[1] or 0) or 0, beyond = tonumber(counts[2] or 0) or 0,
    own = math.max(share.at_least, math.floor(limit * share.permille / 1000)),
    pool = math.max(1, math.floor(limit * POOL_PERMILLE[share.name] / 1000))}
end

-- Return how long a window has to have run for the pool to hold one request more.
local function pool_holds_ms(share, state)
  if share.name == 'quarter' then
    return state.beyond < state.pool and 0 or share.length_ms
  end
  local missing = state.beyond + 1
    - math.max(1, math.floor(limits[2] * POOL_PERMILLE.quarter / 1000))
  if missing <= 0 then return 0 end
  return math.min(share.length_ms, math.ceil(missing * share.length_ms / state.pool))
end

if step.action == 'take' and sharer_id > 0 then
  for _, share in ipairs(SHARES) do
    local state = read_share(share)
    local begun_ms = window(now_ms, share.length_ms) * share.length_ms
    local holds_ms = pool_holds_ms(share, state)
    if state.used >= state.own and now_ms - begun_ms < holds_ms then
      wait_until_ms = math.max(wait_until_ms, begun_ms + holds_ms)
    end
  end
end
if sharer_id > 0 and wait_until_ms == 0 then
  for _, share in ipairs(SHARES) do
    local change = 0
    if step.action == 'take' then
      change = 1
    elseif step.action == 'refund'
      and window(step.taken_at_ms, share.length_ms) == window(now_ms, share.length_ms) then
      change = -1
    end
    local state = read_share(share)
    if change ~= 0 and state.used + change >= 0 then
      redis.call('HINCRBY', state.key, state.sharer, change)
      if math.max(state.used, state.used + change) > state.own then
        redis.call('HINCRBY', state.key, 'beyond', change)
      end
    end
  end
end

for index, length_ms in ipairs(LENGTHS_MS) do
  if step.action == 'take' and wait_until_ms == 0 then
    used[index] = used[index] + 1
  elseif step.action == 'refund'
    and window(step.taken_at_ms, length_ms) == window(now_ms, length_ms) then
    used[index] = math.max(0, used[index] - 1)
  end
end

local quarter, day = window(now_ms, QUARTER_MS), window(now_ms, DAY_MS)
local values = {quarter, day, used[1], used[2], used[3], used[4],
  limits[1], limits[2], limits[3], limits[4], paused_until_ms}
local pairs_to_store = {}
for index, field in ipairs(FIELDS) do
  pairs_to_store[2 * index - 1] = field
  pairs_to_store[2 * index] = string.format('%.0f', values[index])
end
redis.call('HSET', KEYS[1], unpack(pairs_to_store))
redis.call('PEXPIRE', KEYS[1], 2 * DAY_MS)
return cjson.encode({wait_until_ms = wait_until_ms, now_ms = now_ms,
  ledger = {quarter = quarter, day = day, used = used, limits = limits,
    paused_until_ms = paused_until_ms}})
