-- The rules of step.c, carried out by Redis.  KEYS[1] is the beginning of all names; ARGV[1] what goes for
-- all operations, ARGV[2] the operations one after the other, as backend_redis.c packs them.
local base = KEYS[1]
local up, pk, sub = struct.unpack, struct.pack, string.sub
local now, message, held, keep, learn, cool_down, probes, volume, recipients =
	up('>I4c12I1I4I4I4I4I4I4', ARGV[1])

local cache, ttls = {}, {}
local function look(name)
	local v = cache[name]
	if v == nil then
		v = redis.call('GET', base .. name) or ''
		cache[name] = v
	end
	return v
end
local function enter(name, value, ttl)
	cache[name] = value
	ttls[name] = ttl
end

local ops, at = {}, 1
while at <= #ARGV[2] do
	local op = {}
	local n
	op.letter, op.key, op.key2, op.key3, op.flags, op.holds, op.streams, op.window, op.limit, op.limit2,
		op.asks, n, at = up('>c1c12c12c12I1I1I4I4I4I4I4I2', ARGV[2], at)
	op.members = sub(ARGV[2], at, at + n - 1)
	at = at + n
	ops[#ops + 1] = op
end

local known = look('m' .. message)
if #known == 4 + 25 * #ops then return known end

local born = look('born')
if #born == 4 then
	born = up('>I4', born)
else
	born = now
	enter('born', pk('>I4', now), 0)
end

local function alive(at, window) return at > now or now - at < window end
local function has(flags, bit_) return math.floor(flags / bit_) % 2 == 1 end

-- Entries of an id and what follows it, in their order.
local function entries_of(v, size, window)
	local list, place = {}, {}
	for i = 1, #v - size + 1, size do
		local t = up('>I4', v, i + size - 4)
		if alive(t, window) then
			local e = {id = sub(v, i, i + 7), rest = sub(v, i + 8, i + size - 5), at = t}
			list[#list + 1] = e
			if not place[e.id] then place[e.id] = e end
		end
	end
	return list, place
end
local function write_entries(list, most)
	local out = {}
	for i = 1, math.min(#list, most) do
		local e = list[i]
		out[i] = e.id .. e.rest .. pk('>I4', e.at)
	end
	return table.concat(out)
end

local function fan_with(op)
	local list, place = entries_of(look('f' .. op.key), 28, op.window)
	local new = 0
	for i = 1, #op.members - 15, 16 do
		local id = sub(op.members, i, i + 7)
		if place[id] then
			place[id].at = now
		else
			local e = {id = id, rest = sub(op.members, i + 8, i + 15) .. sub(op.key2, 1, 8), at = now}
			list[#list + 1] = e
			place[id] = e
			new = new + 1
		end
	end
	return list, new
end

local answers = {}
local bad, leaves = {}, held == 0
local function mark_bad(streams)
	for s = 0, 15 do
		if has(streams, 2 ^ s) then bad[s] = true end
	end
end

local function asked(op)
	if op.asks == 0 then return true end
	for i = 0, math.min(#ops, 32) - 1 do
		if has(op.asks, 2 ^ i) and answers[i + 1].more == 0 then return true end
	end
	return false
end

local function look_fan(op, a)
	local list, new = fan_with(op)
	local domains, documents, nd, nc = {}, {}, 0, 0
	for _, e in ipairs(list) do
		local d, c = sub(e.rest, 1, 8), sub(e.rest, 9, 16)
		if not domains[d] then domains[d] = true; nd = nd + 1 end
		if not documents[c] then documents[c] = true; nc = nc + 1 end
	end
	if not documents[sub(op.key2, 1, 8)] then nc = nc + 1 end
	a.count, a.other = #list, nd
	local before = has(op.flags, 1) and look('c' .. op.key) ~= ''
	local common = before or (has(op.flags, 1) and nc * 2 > #list)
	if before or (common and #list > op.limit2) then a.more = 1 end
	a.over = new > 0 and (#list > op.limit or nd > op.limit2) and not common and asked(op)
end

local function set_with(op)
	local list, place = entries_of(look('s' .. op.key), 12, op.window)
	local new = 0
	for i = 1, #op.members - 7, 8 do
		local id = sub(op.members, i, i + 7)
		if place[id] then
			place[id].at = now
		else
			local e = {id = id, rest = '', at = now}
			list[#list + 1] = e
			place[id] = e
			new = new + 1
		end
	end
	return list, new
end
local none = string.rep('\0', 12)
local function set_limit(op)
	local limit = op.limit
	if has(op.flags, 1) and now - math.min(born, now) < learn then limit = limit * 5 end
	if op.key2 == none then return limit end
	local got = look('a' .. op.key2)
	if #got < 12 then return limit end
	local usual, before, stamp = up('>I4I4I4', got)
	if alive(stamp, op.window) then usual = before end
	return math.max(limit, math.min(usual, 500) * 2)
end
local function look_set(op, a)
	local list, new = set_with(op)
	a.count, a.other = #list, set_limit(op)
	a.over = new > 0 and a.count > a.other
end

local function got_of(key, identifier)
	local v = look('a' .. key)
	local got = {different = 0, times = 0, has = false}
	if #v >= 12 then got.different = up('>I4', v) end
	for i = 13, #v - 17, 18 do
		local times = up('>I2', v, i + 16)
		got.times = got.times + times
		if times > 0 and sub(v, i, i + 7) == identifier then got.has = true end
	end
	return got
end
local function look_pair(op, a)
	if has(op.flags, 1) or look('c' .. op.key) ~= '' then return end
	local address, domain = sub(op.members, 1, 8), sub(op.members, 9, 16)
	local identifier = sub(op.members, 17, 24)
	local v = look('i' .. op.key)
	local times, since, tos, to_address, to_domain, again = 0, 0, 0, false, false, false
	for i = 1, #v - 25, 26 do
		local first, _, n = up('>I4I4I2', v, i + 16)
		local same = sub(v, i, i + 7) == address
		if same and now - math.min(first, now) >= 72000 then again = true end
		if n > 0 then
			times = times + n
			tos = tos + 1
			if same then to_address = true end
			if sub(v, i + 8, i + 15) == domain then to_domain = true end
			if since == 0 or first < since then since = first end
		end
	end
	local got = got_of(op.key3, identifier)
	local shared = got.different > 20
	if shared then got = got_of(op.key2, identifier) end
	a.count, a.other, a.since = times, got.times, since
	local usual = to_address or again or (to_domain and not shared)
	a.over = not usual and not got.has and times >= op.limit and tos <= 8 and got.times >= op.limit
		and got.different <= 5
end

-- The oldest of the entries makes room.
local function room_in(list, most)
	if #list < most then
		list[#list + 1] = {}
		return list[#list]
	end
	local oldest = list[1]
	for i = 2, #list do
		if list[i].last < oldest.last then oldest = list[i] end
	end
	return oldest
end
local function enter_went(op, usual)
	local v, list, found = look('i' .. op.key), {}, nil
	local address = sub(op.members, 1, 8)
	for i = 1, #v - 25, 26 do
		local e = {id = sub(v, i, i + 15)}
		e.first, e.last, e.n = up('>I4I4I2', v, i + 16)
		list[#list + 1] = e
		if not found and sub(e.id, 1, 8) == address then found = e end
	end
	if not found then
		found = room_in(list, 12)
		found.id, found.first, found.n = sub(op.members, 1, 16), now, 0
	end
	found.last = now
	found.n = math.min(found.n + usual, 65535)
	local out = {}
	for i, e in ipairs(list) do out[i] = e.id .. pk('>I4I4I2', e.first, e.last, e.n) end
	enter('i' .. op.key, table.concat(out), keep)
end
local function enter_got(op, key, identifier)
	local v, list, found = look('a' .. key), {}, nil
	local different, before, stamp = 0, 0, now
	if #v >= 12 then different, before, stamp = up('>I4I4I4', v) end
	if not alive(stamp, op.window) then before, stamp = different, now end
	for i = 13, #v - 17, 18 do
		local e = {id = sub(v, i, i + 7)}
		e.first, e.last, e.n = up('>I4I4I2', v, i + 8)
		list[#list + 1] = e
		if not found and e.id == identifier then found = e end
	end
	if not found then
		found = room_in(list, 6)
		found.id, found.first, found.n = identifier, now, 0
		different = different + 1
	end
	found.last = now
	found.n = math.min(found.n + 1, 65535)
	local out = {pk('>I4I4I4', different, before, stamp)}
	for i, e in ipairs(list) do out[i + 1] = e.id .. pk('>I4I4I2', e.first, e.last, e.n) end
	enter('a' .. key, table.concat(out), keep)
end

-- The numbers of a stream, by their place in step.h from 1.
local TRIPPED, LAST_BAD, CLEAN, HELD, ALL, ALL_BAD, START, BAD, BAD_BEFORE, HOUR, HOUR_COUNT, PEAK, HOURS,
	MOST, MOST_OF, RECENT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
local function forget_recent(n)
	n[BAD], n[BAD_BEFORE], n[CLEAN] = 0, 0, 0
	n.recent = ''
end
local function since(at) return now > at and now - at or 0 end
local function bad_lately(n, window, is_bad)
	local age = since(n[START])
	if age >= window then
		n[BAD_BEFORE] = age < 2 * window and n[BAD] or 0
		n[START] = age < 2 * window and n[START] + window or now
		n[BAD] = 0
	end
	n[BAD] = n[BAD] + is_bad
	local left = window - math.min(since(n[START]), window)
	return n[BAD] + math.floor(n[BAD_BEFORE] * left / window)
end
local function breaker(op, n, is_bad, a)
	local lately = bad_lately(n, op.window, is_bad)
	n.recent = sub(n.recent .. string.char(is_bad), -20)
	local _, recent = string.gsub(n.recent, '\1', '')
	local was = n[TRIPPED] ~= 0
	local stopped = was
	n[ALL] = n[ALL] + 1
	n[ALL_BAD] = n[ALL_BAD] + is_bad
	if was then
		if is_bad == 1 then n[CLEAN] = 0 end
		if is_bad == 0 and cool_down > 0 and since(math.max(n[TRIPPED], n[LAST_BAD])) >= cool_down then
			stopped = false
			n[CLEAN] = n[CLEAN] + 1
			if n[CLEAN] >= probes then
				n[TRIPPED] = 0
				forget_recent(n)
				a.more = a.more + 2
			end
		end
	end
	if is_bad == 1 then n[LAST_BAD] = now end
	if not was and is_bad == 1
		and ((op.limit > 0 and lately >= op.limit) or (op.limit2 > 0 and recent >= op.limit2)) then
		n[TRIPPED], n[HELD], n[CLEAN] = now, 0, 0
		a.more = a.more + 1
		stopped = true
	end
	a.over = n[TRIPPED] ~= 0
	if a.over then n[HELD] = n[HELD] + 1 end
	a.count, a.other, a.since = recent, n[HELD], n[TRIPPED]
	return stopped
end
local function volume_of(n, a)
	local hour = math.floor(now / 3600)
	if hour ~= n[HOUR] then
		n[PEAK] = math.max(n[HOUR_COUNT], n[PEAK] - math.floor(n[PEAK] / 200))
		if n[HOUR_COUNT] > 0 then n[HOURS] = n[HOURS] + 1 end
		n[HOUR], n[HOUR_COUNT] = hour, 0
	end
	n[HOUR_COUNT] = n[HOUR_COUNT] + 1
	if volume > 0 and n[HOURS] >= 24 and n[HOUR_COUNT] > math.max(1000, n[PEAK] * volume) then
		a.more = a.more + 4
		a.x, a.y = n[HOUR_COUNT], n[PEAK]
		return true
	end
	return false
end
local function creep_of(n, a, much)
	local most = n[MOST]
	local creep = n[MOST_OF] >= 100 and recipients > 10 and recipients > 5 * most
	n[MOST_OF] = n[MOST_OF] + 1
	n[MOST] = creep and most * 2 or math.max(most, recipients)
	if creep and not much then
		a.more = a.more + 8
		a.x, a.y = recipients, most
	end
end
local function list_stream(op)
	local index = look('index')
	for i = 1, #index - 11, 12 do
		if sub(index, i, i + 11) == op.key then return end
	end
	if #index >= 200 * 12 then index = sub(index, 13) end
	enter('index', index .. op.key, keep)
end
local function run_stream(op, number, a)
	local v = look('b' .. op.key)
	local n = {recent = ''}
	for i = 1, 16 do n[i] = 0 end
	if #v >= 64 then
		for i = 1, 16 do n[i] = up('>I4', v, 4 * i - 3) end
		n.recent = sub(v, 65, 64 + n[RECENT])
	end
	local is_bad = (has(op.flags, 1) or bad[number]) and 1 or 0
	local stopped = false
	if has(op.flags, 4) then
		a.over = n[TRIPPED] ~= 0
		n[TRIPPED] = 0
		forget_recent(n)
	else
		stopped = breaker(op, n, is_bad, a)
		creep_of(n, a, volume_of(n, a))
		if stopped and has(op.flags, 2) then leaves = false end
		if is_bad == 1 then list_stream(op) end
	end
	if #v > 0 or not has(op.flags, 4) then
		n[RECENT] = #n.recent
		local out = {}
		for i = 1, 16 do out[i] = pk('>I4', n[i]) end
		enter('b' .. op.key, table.concat(out) .. n.recent .. op.members, keep)
	end
	return stopped
end

for i, op in ipairs(ops) do
	local a = {over = false, count = 0, other = 0, since = 0, more = 0, x = 0, y = 0}
	answers[i] = a
	if op.letter == 'F' then look_fan(op, a)
	elseif op.letter == 'S' then look_set(op, a)
	elseif op.letter == 'H' then look_pair(op, a) end
	if a.over then
		mark_bad(op.streams)
		if op.holds == 1 then leaves = false end
	end
end
local number, stopped = 0, false
for i, op in ipairs(ops) do
	if op.letter == 'B' then
		if run_stream(op, number, answers[i]) then stopped = true end
		number = number + 1
	end
end
for i, op in ipairs(ops) do
	local over = answers[i].over
	if op.letter == 'F' and leaves and not over then
		local common = answers[i].more == 1
		if not common or look('c' .. op.key) == '' then
			if common then enter('c' .. op.key, '1', keep) end
			enter('f' .. op.key, write_entries((fan_with(op)), op.limit), op.window)
		end
	elseif op.letter == 'S' and leaves and not over then
		enter('s' .. op.key, write_entries((set_with(op)), 1000), op.window)
	elseif op.letter == 'H' and (leaves or over) and not stopped and held == 0 and look('c' .. op.key) == '' then
		local identifier = sub(op.members, 17, 24)
		enter_went(op, over and 0 or 1)
		if not over then
			enter_got(op, op.key2, identifier)
			enter_got(op, op.key3, identifier)
		end
	end
end

local out = {pk('>I4', born)}
for i, a in ipairs(answers) do
	out[i + 1] = pk('>I1I4I4I4I4I4I4', a.over and 1 or 0, a.count, a.other, a.since, a.more, a.x, a.y)
end
local reply = table.concat(out)
enter('m' .. message, reply, 3600)
for name, ttl in pairs(ttls) do
	if ttl > 0 then
		redis.call('SET', base .. name, cache[name], 'EX', ttl)
	else
		redis.call('SET', base .. name, cache[name])
	end
end
return reply
