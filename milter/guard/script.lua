-- The rules of step.c, carried out by Redis.  KEYS[1] is the beginning of all names; ARGV[1] what goes for
-- all operations, ARGV[2] the operations one after the other, as backend_redis.c packs them.
local base = KEYS[1]
local up, pk, sub = struct.unpack, struct.pack, string.sub
local now, message, held, keep, learn, cool_down, probes, volume, recipients =
	up('>I4c12I1I4I4I4I4I4I4', ARGV[1])
local none = string.rep('\0', 12)

-- All values that are looked at are got at once.
local names = {'m' .. message, 'n' .. none, 'x' .. none}
local wanted = {F = {{'i', 'key'}}, S = {{'a', 'key'}}, H = {{'i', 'key'}, {'a', 'key2'}, {'a', 'key3'}}, B = {{'b', 'key'}},
	T = {{'t', 'key'}}}
local ops, at = {}, 1
while at <= #ARGV[2] do
	local op = {}
	local n
	op.letter, op.key, op.key2, op.key3, op.flags, op.holds, op.streams, op.window, op.limit, op.limit2,
		op.asks, n, at = up('>c1c12c12c12I1I1I4I4I4I4I4I2', ARGV[2], at)
	op.members = sub(ARGV[2], at, at + n - 1)
	at = at + n
	ops[#ops + 1] = op
	if op.letter == 'X' then
		names[#names + 1] = string.char(op.flags) .. op.key
	else
		for _, w in ipairs(wanted[op.letter]) do names[#names + 1] = w[1] .. op[w[2]] end
	end
end
local cache, ttls = {}, {}
do
	local different, whole = {}, {}
	for _, name in ipairs(names) do
		if not cache[name] then
			cache[name] = ''
			different[#different + 1] = name
			whole[#whole + 1] = base .. name
		end
	end
	for from = 1, #whole, 1000 do
		local got = redis.call('MGET', unpack(whole, from, math.min(from + 999, #whole)))
		for i = 1, #got do cache[different[from + i - 1]] = got[i] or '' end
	end
end
local function look(name) return cache[name] end
local function enter(name, value, ttl)
	cache[name] = value
	ttls[name] = math.max(ttl, 1)
end

local known = look('m' .. message)
if #known == 4 + 25 * #ops then return known end

local born = look('n' .. none)
if #born == 4 and up('>I4', born) < now + 86400 then
	born = up('>I4', born)
else
	born = now
	enter('n' .. none, pk('>I4', now), 4294967295)
end

local function alive(at, window) return math.abs(now - at) < window end
local function has(flags, bit_) return math.floor(flags / bit_) % 2 == 1 end

-- Of an identifier, and of a recipient: a head, a window of members, a history.
local went_form = {letter = 'i', head = 1, size = 28, given = 16}
local got_form = {letter = 'a', head = 12, size = 12, given = 8}
local function parts_of(form, key)
	local v = look(form.letter .. key)
	local n = #v >= form.head + 2 and up('>I2', v, form.head + 1) * form.size or 0
	if #v < form.head + 2 + n then return {head = string.rep('\0', form.head), members = '', history = ''} end
	return {head = sub(v, 1, form.head), members = sub(v, form.head + 3, form.head + 2 + n),
		history = sub(v, form.head + 3 + n)}
end
local function is_common(parts) return sub(parts.head, 1, 1) ~= '\0' end

-- Members that are not too old, with the message's own; how many of these are new.
-- An operation looks first and enters later, mostly into what it looked at.
local function members_with(form, parts, op)
	if op.seen == parts.members then return op.list, op.new end
	local list, place, new = {}, {}, 0
	local size, v, rest = form.size, parts.members, sub(op.key2, 1, form.size - form.given - 4)
	for i = 1, #v - size + 1, size do
		local t = up('>I4', v, i + size - 4)
		if alive(t, op.window) then
			local e = {what = sub(v, i, i + size - 5), at = t}
			local id = sub(e.what, 1, 8)
			list[#list + 1] = e
			if not place[id] then place[id] = e end
		end
	end
	for i = 1, #op.members - form.given + 1, form.given do
		local id = sub(op.members, i, i + 7)
		if place[id] then
			place[id].at = now
		else
			local e = {what = sub(op.members, i, i + form.given - 1) .. rest, at = now}
			list[#list + 1] = e
			place[id] = e
			new = new + 1
		end
	end
	op.seen, op.list, op.new = v, list, new
	return list, new
end
local function enter_parts(form, key, parts, window)
	local lasts = #parts.history > 0 or parts.head ~= string.rep('\0', form.head)
	enter(form.letter .. key, parts.head .. pk('>I2', math.floor(#parts.members / form.size)) .. parts.members
		.. parts.history, lasts and math.max(keep, window) or window)
end
local function enter_members(form, op, most)
	local parts, out = parts_of(form, op.key), {}
	local list = members_with(form, parts, op)
	for i = 1, math.min(#list, most) do out[i] = list[i].what .. pk('>I4', list[i].at) end
	parts.members = table.concat(out)
	enter_parts(form, op.key, parts, op.window)
end

local answers = {}
local bad, moved, leaves = {}, {}, held == 0
local function mark(which, streams)
	for s = 0, 15 do
		if has(streams, 2 ^ s) then which[s] = true end
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
	local parts = parts_of(went_form, op.key)
	local list, new = members_with(went_form, parts, op)
	local domains, documents, nd, nc = {}, {}, 0, 0
	for _, e in ipairs(list) do
		local d, c = sub(e.what, 9, 16), sub(e.what, 17, 24)
		if not domains[d] then domains[d] = true; nd = nd + 1 end
		if not documents[c] then documents[c] = true; nc = nc + 1 end
	end
	if not documents[sub(op.key2, 1, 8)] then nc = nc + 1 end
	a.count, a.other = #list, nd
	local before = has(op.flags, 1) and is_common(parts)
	local common = before or (has(op.flags, 1) and nc * 2 > #list)
	if before or (common and #list > op.limit2) then a.more = 1 end
	a.over = new > 0 and (#list > op.limit or nd > op.limit2) and not common and asked(op)
end

local function set_limit(op, parts)
	local limit = op.limit
	if has(op.flags, 2) then
		local most, before, stamp = up('>I4I4I4', parts.head)
		if not alive(stamp, op.window) then before = math.max(most, before) end
		return math.max(limit, math.min(before, 500) * 2)
	end
	if has(op.flags, 1) and now - math.min(born, now) < learn then limit = limit * 5 end
	local usual, before, stamp = up('>I4I4I4', parts.head)
	if alive(stamp, op.window) then usual = before end
	return math.max(limit, math.min(usual, 500) * 2)
end
local function look_set(op, a)
	local parts = parts_of(got_form, op.key)
	local list, new = members_with(got_form, parts, op)
	a.count, a.other = #list, set_limit(op, parts)
	a.over = new > 0 and a.count > a.other
end

local function enter_set(op, count)
	local most, before, stamp = up('>I4I4I4', parts_of(got_form, op.key).head)
	enter_members(got_form, op, 1000)
	if not has(op.flags, 2) or 2 * count <= op.limit then return end
	if not alive(stamp, op.window) then most, before, stamp = 0, math.max(most, before), now end
	local parts = parts_of(got_form, op.key)
	parts.head = pk('>I4I4I4', math.max(most, count), before, stamp)
	enter_parts(got_form, op.key, parts, op.window)
end

local function got_of(key, identifier)
	local parts = parts_of(got_form, key)
	local v = parts.history
	local got = {different = up('>I4', parts.head), times = 0, has = false}
	for i = 1, #v - 17, 18 do
		local times = up('>I2', v, i + 16)
		got.times = got.times + times
		if times > 0 and not got.has and sub(v, i, i + 7) == identifier then got.has = true end
	end
	return got
end
local function look_pair(op, a)
	local parts = parts_of(went_form, op.key)
	if has(op.flags, 1) or is_common(parts) then return end
	local address, domain = sub(op.members, 1, 8), sub(op.members, 9, 16)
	local identifier = sub(op.members, 17, 24)
	local v = parts.history
	local times, since, tos, to_address, to_domain, again = 0, 0, 0, false, false, false
	for i = 1, #v - 25, 26 do
		local its, at, first, _, n = up('>c8c8I4I4I2', v, i)
		local same = its == address
		if same and now - math.min(first, now) >= 72000 then again = true end
		if n > 0 then
			times = times + n
			tos = tos + 1
			if same then to_address = true end
			if at == domain then to_domain = true end
			if since == 0 or first < since then since = first end
		end
	end
	local got = got_of(op.key3, identifier)
	local shared = got.different > 20
	if shared then got = got_of(op.key2, identifier) end
	a.count, a.other, a.since = times, got.times, since
	local usual = to_address or again or (to_domain and not shared)
	if not usual and not got.has and times >= op.limit and tos <= 8 and got.different <= 5 then a.more = 1 end
	a.over = a.more == 1 and got.times >= op.limit
end

-- Where the entry of `id` is in a history, of `size` bytes an entry, or where there is room for it: at
-- the end, or in the place of the oldest one.
local function place_in(v, id, size, most)
	local whole, own, oldest, least = math.floor(#v / size), sub(id, 1, 8), nil, nil
	for i = 0, whole - 1 do
		if sub(v, i * size + 1, i * size + 8) == own then return i, true end
	end
	if whole < most then return whole, false end
	for i = 0, whole - 1 do
		local last = up('>I4', v, i * size + #id + 5)
		if not least or last < least then oldest, least = i, last end
	end
	return oldest, false
end
-- Enters into a history whose entries begin with `id` bytes, the first eight of which tell them apart.
local function enter_history(parts, id, most, usual)
	local v, size, first, n, _ = parts.history, #id + 10, now, 0, nil
	local place, has_it = place_in(v, id, size, most)
	local at = place * size + 1
	if has_it then
		id = sub(v, at, at + #id - 1)
		first, _, n = up('>I4I4I2', v, at + #id)
	end
	parts.history = sub(v, 1, at - 1) .. id .. pk('>I4I4I2', first, now, math.min(n + usual, 65535))
		.. sub(v, at + size)
	return not has_it
end
local function enter_went(op, usual)
	local parts = parts_of(went_form, op.key)
	enter_history(parts, sub(op.members, 1, 16), 12, usual)
	enter_parts(went_form, op.key, parts, op.window)
end
local function enter_got(op, key, identifier)
	local parts = parts_of(got_form, key)
	local different, before, stamp = up('>I4I4I4', parts.head)
	if stamp == 0 or not alive(stamp, op.window) then before, stamp = different, now end
	if enter_history(parts, identifier, 6, 1) then different = different + 1 end
	parts.head = pk('>I4I4I4', different, before, stamp)
	enter_parts(got_form, key, parts, op.window)
end

local function enter_links(op)
	local v, list, has_it = look('t' .. op.key), {}, {}
	local changed = #v < 4 or now - math.min(up('>I4', v), now) > math.floor(keep / 8)
	local function add(link, new)
		if has_it[link] then return end
		changed = changed or new
		has_it[link] = true
		list[#list + 1] = link
	end
	for i = 5, #v - 12, 13 do add(sub(v, i, i + 12), false) end
	for i = 1, #op.members - 12, 13 do add(sub(op.members, i, i + 12), true) end
	if changed then enter('t' .. op.key, pk('>I4', now) .. table.concat(list, '', math.max(1, #list - 199)), keep) end
end
local function forget(op, a)
	local letter = string.char(op.flags)
	if look(letter .. op.key) == '' then return end
	a.count = 1
	if op.members == '' then
		enter(letter .. op.key, '', 1)
		return
	end
	local gone = {}
	for i = 1, #op.members - 7, 8 do gone[sub(op.members, i, i + 7)] = true end
	local function without(v, size)
		local out = {}
		for i = 1, #v - size + 1, size do
			if not gone[sub(v, i, i + 7)] then out[#out + 1] = sub(v, i, i + size - 1) end
		end
		return table.concat(out)
	end
	local form, size = went_form, 26
	if letter ~= 'i' then form, size = got_form, 18 end
	local parts = parts_of(form, op.key)
	parts.members, parts.history = without(parts.members, form.size), without(parts.history, size)
	enter_parts(form, op.key, parts, op.window)
end

-- The numbers of a stream, by their place in step.h from 1.
local TRIPPED, LAST_BAD, CLEAN, HELD, ALL, ALL_BAD, START, BAD, BAD_BEFORE, HOUR, HOUR_COUNT, PEAK, HOURS,
	MOST, MOST_OF, RECENT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
local all_numbers = '>' .. string.rep('I4', RECENT)
local function forget_recent(n)
	n[BAD], n[BAD_BEFORE], n[CLEAN] = 0, 0, 0
	n.recent = ''
end
local function since(at) return now > at and now - at or 0 end
local function bad_lately(n, window, is_bad)
	local age = since(n[START])
	if n[START] - now >= window then age = 2 * window end
	if age >= window then
		n[BAD_BEFORE] = age < 2 * window and n[BAD] or 0
		n[START] = age < 2 * window and n[START] + window or now
		n[BAD] = 0
	end
	n[BAD] = n[BAD] + is_bad
	local left = window - math.min(since(n[START]), window)
	return n[BAD] + math.floor(n[BAD_BEFORE] * left / window)
end
local function breaker(op, n, mail, a)
	local is_bad = mail == 1 and 1 or 0
	local lately = bad_lately(n, op.window, is_bad)
	n.recent = sub(n.recent .. string.char(mail), -20)
	local recent, halves = 0, 0
	for i = 1, #n.recent do
		local b = string.byte(n.recent, i)
		if b ~= 0 then recent = recent + 1; halves = halves + (b == 1 and 2 or 1) end
	end
	local was = n[TRIPPED] ~= 0
	local stopped = was
	n[ALL] = n[ALL] + 1
	n[ALL_BAD] = n[ALL_BAD] + is_bad
	if was then
		if is_bad == 1 then n[CLEAN] = 0 end
		if mail == 0 and cool_down > 0 and since(math.max(n[TRIPPED], n[LAST_BAD])) >= cool_down then
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
	if not was and ((is_bad == 1 and op.limit > 0 and lately >= op.limit)
		or (mail ~= 0 and op.limit2 > 0 and halves >= 2 * op.limit2)) then
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
	local index = look('x' .. none)
	for i = 1, #index - 11, 12 do
		if sub(index, i, i + 11) == op.key then return end
	end
	if #index >= 200 * 12 then index = sub(index, 13) end
	enter('x' .. none, index .. op.key, keep)
end
local function run_stream(op, number, a)
	local v = look('b' .. op.key)
	local n = {up(all_numbers, #v >= 64 and v or string.rep('\0', 64))}
	n.recent = #v >= 64 and sub(v, 65, 64 + n[RECENT]) or ''
	local mail = (has(op.flags, 1) or bad[number]) and 1 or moved[number] and 2 or 0
	local stopped = false
	if has(op.flags, 4) then
		a.over = n[TRIPPED] ~= 0
		n[TRIPPED] = 0
		forget_recent(n)
	else
		stopped = breaker(op, n, mail, a)
		creep_of(n, a, volume_of(n, a))
		if stopped and has(op.flags, 2) then leaves = false end
		if mail == 1 or a.over then list_stream(op) end
	end
	if #v > 0 or not has(op.flags, 4) then
		n[RECENT] = #n.recent
		enter('b' .. op.key, pk(all_numbers, unpack(n, 1, RECENT)) .. n.recent .. op.members, keep)
	end
	return stopped
end

for i, op in ipairs(ops) do
	local a = {over = false, count = 0, other = 0, since = 0, more = 0, x = 0, y = 0}
	answers[i] = a
	if op.letter == 'F' then look_fan(op, a)
	elseif op.letter == 'S' then look_set(op, a)
	elseif op.letter == 'H' then look_pair(op, a) end
	if op.letter == 'H' and a.more == 1 then mark(moved, op.streams) end
	if a.over then
		mark(bad, op.streams)
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
		if answers[i].more == 0 then
			enter_members(went_form, op, op.limit)
		elseif not is_common(parts_of(went_form, op.key)) then
			enter_parts(went_form, op.key, {head = '\1', members = '', history = ''}, op.window)
		end
	elseif op.letter == 'S' and leaves and not over then
		enter_set(op, answers[i].count)
	elseif op.letter == 'T' then
		if not stopped and held == 0 then enter_links(op) end
	elseif op.letter == 'X' then
		forget(op, answers[i])
	elseif op.letter == 'H' and (leaves or over) and not stopped and held == 0
		and not is_common(parts_of(went_form, op.key)) then
		local identifier = sub(op.members, 17, 24)
		enter_went(op, over and 0 or 1)
		if not over then
			enter_got(op, op.key2, identifier)
			if up('>I4', parts_of(got_form, op.key3).head) <= 20 then enter_got(op, op.key3, identifier) end
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
	redis.call('SET', base .. name, cache[name], 'EX', string.format('%d', ttl))
end
return reply
