/**
 * What the server does by itself, as scripts: each decides and acts in one step, so that no other process comes between.
 *
 *     <prefix>e:<site>:<key>   hash   `<code>`: the entry; `m:<code>`: epoch, stamp, end (ms or `-`), digests of tags
 *     <prefix>r:<site>:<key>   hash   `l:<code>`: the token of who computes, and its process; `t:<token>`: a run
 *     <prefix>g                hash   `e`: the epoch; `s:<site>`, `t:<tag>`: the stamp of the last clear
 *     <prefix>c                       the last stamp
 *     <prefix>p:<process>             there as long as the process lives
 *     <prefix>x                       channel: what was cleared, and by which process
 *
 * A *stamp* is the server's time in µs, made to rise with every use: the fencing token. A run gets one before it begins,
 * a clear gets one, and an entry has that of its run: it holds if nothing of it was cleared later. So a clear is one field
 * of `g`, whatever it clears, and what a run brings that began before it is refused.
 *
 * Everything can be lost (a restart, eviction), and must be missed, never believed. If `g` is lost, so are all clears:
 * then a new *epoch* begins, and no entry of an earlier one holds. If the note of a run is lost, its result is refused.
 */

/** In µs; numbers of Lua are exact up to 2^53, until 2255. */
const TICK = `
local function tick()
  local time = redis.call('TIME')
  local at = time[1] * 1000000 + time[2]
  local last = tonumber(redis.call('GET', P .. 'c') or '0')
  if at <= last then at = last + 1 end
  redis.call('SET', P .. 'c', string.format('%.0f', at))
  return at
end
local function text(at) return string.format('%.0f', at) end
local function ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function epoch()
  local found = redis.call('HGET', P .. 'g', 'e')
  if found then return found end
  found = text(tick())
  redis.call('HSET', P .. 'g', 'e', found)
  return found
end
`;

/** The entry of a code with its meta, if it holds. Half of its time unused is when its life in the server is prolonged. */
const FIND = `
local function find(entry, code, site, cap)
  local found = redis.call('HMGET', entry, code, 'm:' .. code)
  if not found[1] or not found[2] then return nil end
  local parts = {}
  for part in string.gmatch(found[2], '%S+') do parts[#parts + 1] = part end
  local names = {'e', 's:' .. site}
  for i = 4, #parts do names[#names + 1] = 't:' .. parts[i] end
  local cleared = redis.call('HMGET', P .. 'g', unpack(names))
  if cleared[1] ~= parts[1] then return nil end
  local stamp = tonumber(parts[2])
  for i = 2, #names do
    if cleared[i] and tonumber(cleared[i]) >= stamp then return nil end
  end
  local left = cap
  if parts[3] ~= '-' then
    left = tonumber(parts[3]) - ms()
    if left <= 0 then return nil end
  end
  if left >= cap and redis.call('PTTL', entry) < cap / 2 then
    redis.call('PEXPIRE', entry, text(cap))
    redis.call('EXISTS', entry)
  end
  return found
end
`;

/** KEYS: entry. ARGV: prefix, site, code, cap. @returns the entry and its meta, or nothing */
const GET = `
local P = ARGV[1]
${TICK}${FIND}
return find(KEYS[1], ARGV[3], ARGV[2], tonumber(ARGV[4])) or false
`;

/**
 * KEYS: entry, runs. ARGV: prefix, site, code, cap, cause, process, ms that the process is believed to live, whether it has
 * waited long enough. What it reads is tracked: who is told to wait learns of every change of the two keys.
 *
 * @returns `v`, entry, meta; `t`, token; `w`, ms until the holder is taken for dead unless it says that it lives; `n`
 */
const LEASE = `
local P = ARGV[1]
local site, code, cause, process = ARGV[2], ARGV[3], ARGV[5], ARGV[6]
${TICK}${FIND}
if cause == 'miss' then
  local found = find(KEYS[1], code, site, tonumber(ARGV[4]))
  if found then return {'v', found[1], found[2]} end
end
local now = epoch()
local holder = redis.call('HGET', KEYS[2], 'l:' .. code)
local waits = 0
if holder and cause ~= 'refresh' then
  local of, stamp, by = string.match(holder, '^(%d+)%.(%d+) (.+)$')
  local cleared = redis.call('HGET', P .. 'g', 's:' .. site)
  local outdated = of ~= now or (cleared and tonumber(cleared) >= tonumber(stamp))
  if by ~= process and not outdated then waits = redis.call('PTTL', P .. 'p:' .. by) end
end
if waits > 0 then
  if cause == 'behind' then return {'n'} end
  if ARGV[8] == '0' then return {'w', waits} end
end
local token = now .. '.' .. text(tick())
redis.call('SET', P .. 'p:' .. process, '1', 'PX', ARGV[7])
if redis.call('HLEN', KEYS[2]) > 200 then redis.call('DEL', KEYS[2]) end
redis.call('HSET', KEYS[2], 't:' .. token, '1')
if waits <= 0 then redis.call('HSET', KEYS[2], 'l:' .. code, token .. ' ' .. process) end
redis.call('PEXPIRE', KEYS[2], 86400000)
return {'t', token}
`;

/** Takes back what a run was noted by. In the scripts that end one. */
const END_RUN = `
local function endRun(runs, code, token)
  local noted = redis.call('HDEL', runs, 't:' .. token) == 1
  local holder = redis.call('HGET', runs, 'l:' .. code)
  local held = holder and string.match(holder, '^(%S+) ')
  if held == token then redis.call('HDEL', runs, 'l:' .. code) end
  return noted, held
end
`;

/**
 * KEYS: entry. ARGV: prefix, site, code, cap, runs, token (or none), age of the run in µs, ms until its end (or none), the
 * entry, digests of tags. Ends with a read, so that the server tells of later changes.
 *
 * @returns 1, or 0 if it was refused
 */
const SET = `
local P = ARGV[1]
local site, code, cap, token = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[6]
${TICK}${END_RUN}
local now = epoch()
local stamp, since, of
if token ~= '' then
  local noted, held = endRun(ARGV[5], code, token)
  of, stamp = string.match(token, '^(%d+)%.(%d+)$')
  if not noted or of ~= now then return 0 end
  stamp = tonumber(stamp)
  since = stamp
  if held and held ~= token and tonumber(string.match(held, '%.(%d+)$')) > stamp then return 0 end
  local cleared = redis.call('HGET', P .. 'g', 's:' .. site)
  if cleared and tonumber(cleared) >= stamp then return 0 end
  local before = redis.call('HGET', KEYS[1], 'm:' .. code)
  if before then
    local its, at = string.match(before, '^(%d+) (%d+)')
    if its == now and tonumber(at) > stamp then return 0 end
  end
else
  stamp = tick()
  since = stamp - tonumber(ARGV[7])
end
for i = 10, #ARGV do
  local cleared = redis.call('HGET', P .. 'g', 't:' .. ARGV[i])
  if cleared and tonumber(cleared) >= since then return 0 end
end
local left, ending = cap, '-'
if ARGV[8] ~= '' then
  left = tonumber(ARGV[8])
  ending = text(ms() + left)
  if left <= 0 then
    redis.call('HDEL', KEYS[1], code, 'm:' .. code)
    return 1
  end
  if left > cap then left = cap end
end
local meta = now .. ' ' .. text(stamp) .. ' ' .. ending
for i = 10, #ARGV do meta = meta .. ' ' .. ARGV[i] end
redis.call('HSET', KEYS[1], code, ARGV[9], 'm:' .. code, meta)
if redis.call('HLEN', KEYS[1]) > 2 then
  local oldest, least
  for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.sub(name, 1, 2) == 'm:' then
      local its, at, ends = string.match(redis.call('HGET', KEYS[1], name), '^(%d+) (%d+) (%S+)')
      local other = string.sub(name, 3)
      if its ~= now or (ends ~= '-' and tonumber(ends) <= ms()) then redis.call('HDEL', KEYS[1], other, name)
      elseif not least or tonumber(at) < least then oldest, least = other, tonumber(at) end
    end
  end
  if redis.call('HLEN', KEYS[1]) > 32 then redis.call('HDEL', KEYS[1], oldest, 'm:' .. oldest) end
  left = math.max(left, redis.call('PTTL', KEYS[1]))
end
redis.call('PEXPIRE', KEYS[1], text(left))
redis.call('EXISTS', KEYS[1])
return 1
`;

/** KEYS: runs. ARGV: prefix, code, token. */
const RELEASE = `
local P = ARGV[1]
${END_RUN}
endRun(KEYS[1], ARGV[2], ARGV[3])
return 1
`;

/**
 * ARGV: prefix, process, what (`s:<site>`, `t:<tag>` or `*`), most clears that are remembered: one more, and all is
 * forgotten once, which is a clear of everything.
 */
const CLEAR = `
local P = ARGV[1]
local what = ARGV[3]
${TICK}
local at = text(tick())
if what ~= '*' and redis.call('HLEN', P .. 'g') >= tonumber(ARGV[4]) then what = '*' end
if what == '*' then
  redis.call('UNLINK', P .. 'g')
  redis.call('HSET', P .. 'g', 'e', at)
else
  epoch()
  redis.call('HSET', P .. 'g', what, at)
end
redis.call('PUBLISH', P .. 'x', ARGV[2] .. ' ' .. what)
return 1
`;

/** A server that is full takes no more, but it can forget. ARGV: prefix, process. */
const FORGET = `
redis.call('UNLINK', ARGV[1] .. 'g')
redis.call('PUBLISH', ARGV[1] .. 'x', ARGV[2] .. ' *')
return 1
`;

export const SCRIPTS = { get: GET, lease: LEASE, set: SET, release: RELEASE, clear: CLEAR, forget: FORGET } as const;
export type ScriptName = keyof typeof SCRIPTS;
