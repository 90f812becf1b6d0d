"""Trails are damaged in many ways, each at many places that chance chooses: each is found, and where; trails that were
grown, pruned, copied, killed while they were written, or whose clock was set, raise no alarm."""
import datetime
import hashlib
import random

from rig import *

tap = Tap()
S = scratch_folder()
SEED = int(os.environ.get('MS_SEED', random.randrange(1 << 30)))
PLACES = int(os.environ.get('MS_PLACES', 8))
print('# MS_SEED=%d' % SEED)
chance = random.Random(SEED)
WRITER = BUILD + '/tests/tools/trail-writer'
TILE = 256
N = 2700


# ---- making ----
class Clock:
    """A day of a host: a beat every minute, mail between."""

    def __init__(self):
        self.now = datetime.datetime(2026, 11, 26, 8, 0, 0)
        self.beat = self.now

    def stamp(self):
        return self.now.strftime('%Y-%m-%dT%H:%M:%S.') + '%03dZ' % (self.now.microsecond // 1000)

    def line(self, kind=None, **more):
        self.now += datetime.timedelta(milliseconds=chance.randrange(100, 9000))
        if kind is None and self.now - self.beat >= datetime.timedelta(seconds=60):
            kind = 'beat'
        if kind in ('beat', 'start'):
            self.beat = self.now
        return json.dumps({'time': self.stamp(), 'type': kind or 'message', 'host': 'mx.example', **more,
                           'fill': 'x' * chance.choice((0, 7, 90, 900))}, separators=(',', ':'))

    def lines(self, n):
        return [self.line('start')] + [self.line() for _ in range(n - 1)]


def write(folder, lines, prune=0):
    done = subprocess.run([WRITER, folder, str(prune)], input=''.join(x + '\n' for x in lines), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode == 0 or tap.ok(False, 'the trail is written', done.stdout)


def verify(folder, *more):
    done = subprocess.run([BUILD + '/missent', 'audit', 'verify', '--folder', folder, *more], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def copied(folder, name):
    subprocess.run(['cp', '-a', folder, S + '/' + name], check=True)
    return S + '/' + name


clock = Clock()
write(S + '/older', clock.lines(N - 120))
copied(S + '/older', 'good')
write(S + '/good', [clock.line() for _ in range(120)])
write(S + '/other', Clock().lines(N))
with open(S + '/kept', 'w') as f:
    f.write(open(S + '/good/checkpoint').read())


# ---- its files, as others read them ----
def name_of(folder, level, n):
    return '%s/tile/%s/%03d' % (folder, level, n)


def split(data):
    out, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at:at + 2], 'big')
        out.append(data[at + 2:at + 2 + size])
        at += 2 + size
    return out


def joined(entries):
    return b''.join(len(x).to_bytes(2, 'big') + x for x in entries)


class Bundle:
    """256 entries, or the head's."""

    def __init__(self, folder, n):
        self.n, self.path = n, name_of(folder, 'entries', n) if n < N // TILE else '%s/head.%d' % (folder, n)
        with open(self.path, 'rb') as f:
            self.entries = split(f.read())

    def save(self):
        with open(self.path, 'wb') as f:
            f.write(joined(self.entries))


def any_entry(folder, least=0):
    """A bundle, and an entry of it that has some before and after."""
    b = Bundle(folder, chance.randrange(N // TILE + 1))
    return b, chance.randrange(1, len(b.entries) - 1)


def flip(entry):
    at = chance.randrange(len(entry))
    return entry[:at] + bytes([entry[at] ^ (1 << chance.randrange(8))]) + entry[at + 1:]


def leaf(entry):
    return hashlib.sha256(b'\0' + entry).digest()


# ---- damages: each tells between which entries it has to be found ----
def place(b, i=0, j=None):
    first = b.n * TILE
    # of the head there is no tile: only its checkpoint tells
    return (first, N) if b.n == N // TILE else (first + i, first + (i if j is None else j))


def edit(f):
    b, i = any_entry(f)
    b.entries[i] = flip(b.entries[i])
    b.save()
    return place(b, i)


def edit_with_hash(f):
    b, i = any_entry(f)
    b.entries[i] = flip(b.entries[i])
    b.save()
    if b.n < N // TILE:
        with open(name_of(f, '0', b.n), 'r+b') as t:
            t.seek(32 * i)
            t.write(leaf(b.entries[i]))
    return 0, N


def delete(f):
    b, i = any_entry(f)
    del b.entries[i]
    b.save()
    return place(b, 0, TILE)


def insert(f):
    b, i = any_entry(f)
    b.entries.insert(i, chance.choice(b.entries))
    b.save()
    return place(b, 0, TILE)


def swap(f):
    b, i = any_entry(f)
    while b.entries[i] == b.entries[i - 1]:
        i -= 1
    b.entries[i - 1:i + 1] = b.entries[i:i - 2 if i > 1 else None:-1][:2]
    b.save()
    return place(b, i - 1, i)


def swap_far(f):
    a, b = (Bundle(f, n) for n in chance.sample(range(N // TILE), 2))
    i, j = chance.randrange(TILE), chance.randrange(TILE)
    a.entries[i], b.entries[j] = b.entries[j], a.entries[i]
    a.save(), b.save()
    return place(a if a.n < b.n else b, i if a.n < b.n else j)


def truncate(f):
    b = Bundle(f, N // TILE)
    left = chance.randrange(len(b.entries))
    del b.entries[left:]
    b.save()
    return b.n * TILE + left, N


def tear(f):
    path = '%s/head.%d' % (f, N // TILE)
    size = os.path.getsize(path)
    os.truncate(path, size - chance.randrange(1, min(40, size)))
    return N - 1, N


def cut_at_border(f):
    """The head and whole bundles from the end, with their tiles."""
    os.unlink('%s/head.%d' % (f, N // TILE))
    keep = chance.randrange(1, N // TILE + 1)
    for n in range(keep, N // TILE):
        os.unlink(name_of(f, 'entries', n))
        os.unlink(name_of(f, '0', n))
    return keep * TILE, keep * TILE


def lose_bundle(f):
    n = chance.randrange(N // TILE)
    os.unlink(name_of(f, 'entries', n))
    return n * TILE, n * TILE + TILE


def lose_tile(f):
    n = chance.randrange(N // TILE)
    os.unlink(name_of(f, '0', n))
    return n * TILE, n * TILE + TILE


def lose_both(f):
    os.unlink(name_of(f, '0', n := chance.randrange(N // TILE)))
    os.unlink(name_of(f, 'entries', n))
    return n * TILE, n * TILE + TILE


def cut_bundle(f):
    path = name_of(f, 'entries', n := chance.randrange(N // TILE))
    os.truncate(path, chance.randrange(os.path.getsize(path)))
    return n * TILE, n * TILE + TILE


def edit_tile(f):
    path = name_of(f, '0', n := chance.randrange(N // TILE))
    with open(path, 'rb') as t:
        data = t.read()
    with open(path, 'wb') as t:
        t.write(flip(data))
    return n * TILE, n * TILE + TILE


def exchange(f, level):
    a, b = sorted(chance.sample(range(N // TILE), 2))
    os.rename(name_of(f, level, a), f + '/x')
    os.rename(name_of(f, level, b), name_of(f, level, a))
    os.rename(f + '/x', name_of(f, level, b))
    return a * TILE, a * TILE + TILE


def exchange_tiles(f):
    return exchange(f, '0')


def exchange_bundles(f):
    return exchange(f, 'entries')


def roll_back(f):
    """Head and latest checkpoint as they were; the published one is newer."""
    for name in ('latest', 'head.%d' % (N // TILE)):
        shutil.copy2(S + '/older/' + name, f + '/' + name)
    return N - 120, N - 120


def roll_back_bundle(f):
    """To a moment of before, by number: the entries after it are gone, and the checkpoint that was."""
    n = chance.randrange(1, N // TILE)
    b = Bundle(f, n)
    b.entries = b.entries[:chance.randrange(1, TILE)]
    os.unlink('%s/head.%d' % (f, N // TILE))
    for k in range(n, N // TILE):
        os.unlink(name_of(f, 'entries', k))
        os.unlink(name_of(f, '0', k))
    b.path = '%s/head.%d' % (f, n)
    b.save()
    return n * TILE, n * TILE + TILE


def two_writers(f):
    with open('%s/head.%d' % (f, N // TILE), 'ab') as h:
        h.write(joined([clock.line().encode() for _ in range(chance.randrange(1, 20))]))
    return N, N


def two_writers_at_once(f):
    """Both wrote from the same place on: the first bytes are one's, the rest the other's."""
    b = Bundle(f, N // TILE)
    i = chance.randrange(1, len(b.entries))
    b.entries[i:] = [clock.line().encode() for _ in b.entries[i:]]
    b.save()
    return N - 256, N


def killed(f):
    """Half a line is left, and nobody has opened the log since."""
    with open('%s/head.%d' % (f, N // TILE), 'ab') as h:
        data = joined([clock.line().encode() for _ in range(3)])
        h.write(data[:chance.randrange(1, len(data))])
    return N, N + 3


def full_disk(f):
    """Files of no length, as a file system leaves them that was full when it crashed."""
    name = chance.choice(('latest', 'head.%d' % (N // TILE), 'tile/0/%03d' % chance.randrange(N // TILE),
                          'tile/entries/%03d' % chance.randrange(N // TILE)))
    os.truncate(f + '/' + name, 0)
    return 0, N


def zeroes(f):
    """A block of zeroes within, as a crash leaves it."""
    path = name_of(f, 'entries', n := chance.randrange(N // TILE))
    size = os.path.getsize(path)
    at = chance.randrange(size - 512)
    with open(path, 'r+b') as b:
        b.seek(at)
        b.write(bytes(512))
    return n * TILE, n * TILE + TILE


def key_replaced(f):
    for name in chance.choice((('vkey',), ('vkey', 'key'), ('vkey', 'key', 'latest'))):
        shutil.copy2(S + '/other/' + name, f + '/' + name)
    return 0, N


def others_bundle(f):
    n = chance.randrange(N // TILE)
    shutil.copy2(name_of(S + '/other', 'entries', n), name_of(f, 'entries', n))
    return n * TILE, n * TILE + TILE


def others_lines(f):
    b, i = any_entry(f)
    theirs = Bundle(S + '/other', b.n).entries
    for k in range(i, min(len(b.entries), i + chance.randrange(1, 5))):
        b.entries[k] = theirs[k]
    b.save()
    return place(b, i, TILE)


def others_checkpoint(f):
    shutil.copy2(S + '/other/latest', f + '/' + chance.choice(('latest', 'checkpoint')))
    return 0, N


def edit_checkpoint(f):
    path = f + '/' + chance.choice(('latest', 'checkpoint'))
    with open(path, 'rb') as c:
        data = c.read()
    with open(path, 'wb') as c:
        c.write(flip(data))
    return 0, N


def remove_and_pass_over(f):
    n = chance.randrange(1, N // TILE)
    with open(f + '/minimum', 'w') as m:
        m.write('%d\n' % (n * TILE))
    for k in range(n):
        os.unlink(name_of(f, 'entries', k))
        os.unlink(name_of(f, '0', k))
    return 0, N


def prune_by_hand(f):
    remove_and_pass_over(f)
    for path in glob.glob(f + '/tile/1/*.p/*'):
        os.unlink(path)
    return 0, N


def remove_begin(f):
    """As pruning would, but the log does not say so."""
    n = chance.randrange(1, N // TILE)
    for k in range(n):
        os.unlink(name_of(f, 'entries', k))
    return 0, n * TILE


def pass_over(f):
    """All is there, and is not to be looked at."""
    with open(f + '/minimum', 'w') as m:
        m.write('%d\n' % chance.randrange(1, N))
    return 0, N


DAMAGES = [edit, edit_with_hash, delete, insert, swap, swap_far, truncate, tear, cut_at_border, lose_bundle, lose_tile,
           lose_both, cut_bundle, edit_tile, exchange_tiles, exchange_bundles, roll_back, roll_back_bundle, two_writers,
           two_writers_at_once, killed, full_disk, zeroes, key_replaced, others_bundle, others_lines, others_checkpoint,
           edit_checkpoint, prune_by_hand, remove_begin, pass_over, remove_and_pass_over]


def found(damage, code, out, low, high):
    """Is one of what was told within?"""
    told = [int(x.split(':')[0]) for x in out.splitlines() if re.match(r'\d+: ', x)]
    return code == 1 and any(low <= x <= high for x in told)


code, out = verify(S + '/good')
tap.ok(code == 0 and ' %d entries' % N in out, 'a trail of a day is whole', out)
n_damages = 0
for damage in DAMAGES:
    missed = []
    for i in range(PLACES if damage not in (roll_back,) else 1):
        folder = copied(S + '/good', 'damaged')
        low, high = damage(folder)
        code, out = verify(folder)
        n_damages += 1
        if not found(damage, code, out, low, high):
            missed.append('%d to %d: exit %d\n%s' % (low, high, code, out))
        shutil.rmtree(folder)
    tap.ok(not missed, '%s: found at each place, and where' % damage.__name__.replace('_', ' '), missed[0] if missed else '')

# ---- what only a copy elsewhere, or the lines themselves, can tell ----
missed = []
for i in range(PLACES):
    folder = copied(S + '/good', 'forged')
    lines = [x.decode() for n in range(N // TILE + 1) for x in Bundle(folder, n).entries]
    k = chance.randrange(N)
    how = chance.choice(('drop', 'edit', 'short'))
    lines[k:k + 1] = [] if how == 'drop' else [lines[k].replace('mx.example', 'mx.exampl3')]
    del lines[N - 200 if how == 'short' else N:]
    for name in os.listdir(folder):
        if name not in ('key', 'vkey', 'lock'):
            path = folder + '/' + name
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    write(folder, lines)
    code, out = verify(folder, '--against', S + '/kept')
    if verify(folder)[0] != 0 or code != 1 or not re.search(r'not those of the checkpoint|entries, and had', out):
        missed.append(out)
    shutil.rmtree(folder)
tap.ok(not missed, 'written anew with its key: found against a checkpoint that was kept', missed[0] if missed else '')


def told_at(lines, index, word):
    write(S + '/time', lines)
    code, out = verify(S + '/time')
    shutil.rmtree(S + '/time')
    told = re.search(r'^%d: .*%s' % (index, word), out, re.M)
    return code == 2 and told and ' 0 wrong; 1 remark ' in out or print('# ' + out)


missed = []
for i in range(PLACES):
    c = Clock()
    lines = c.lines(chance.randrange(2, 900))
    c.now -= datetime.timedelta(seconds=chance.randrange(120, 90000))
    c.beat = c.now
    if not told_at(lines + c.lines(50), len(lines), 'the clock went back'):
        missed.append('clock')
    c = Clock()
    lines = c.lines(chance.randrange(2, 900))
    c.now += datetime.timedelta(seconds=chance.randrange(240, 90000))
    if not told_at(lines + [c.line('beat')] + c.lines(50), len(lines), 'did not say that it lives'):
        missed.append('hole')
tap.same(missed, [], 'a clock that went back, and a hole in time: told, where, and as no damage')

# ---- no false alarm ----
alarms = []


def quiet(folder, what):
    code, out = verify(folder)
    if code != 0:
        alarms.append('%s: %s' % (what, out))
    shutil.rmtree(folder, ignore_errors=True)


for n in [1, 2, TILE - 1, TILE, TILE + 1, 2 * TILE, 2 * TILE + 1] + [chance.randrange(1, 3000) for _ in range(PLACES)]:
    write(S + '/w', Clock().lines(n))
    quiet(S + '/w', '%d entries' % n)
for _ in range(PLACES):
    c = Clock()
    prune = chance.randrange(1, 2000)
    write(S + '/w', c.lines(chance.randrange(2000, 3000)) + [c.line('prune', from_entry=0, to_entry=prune)], prune)
    write(S + '/w', [c.line() for _ in range(chance.randrange(1, 600))])
    code, out = verify(S + '/w')
    if code != 0:
        alarms.append('pruned at %d: %s' % (prune, out))
    quiet(copied(S + '/w', 'w2'), 'pruned, copied')
    shutil.rmtree(S + '/w')
for _ in range(PLACES):  # killed while it writes, again and again; then it goes on
    c = Clock()
    write(S + '/w', c.lines(chance.randrange(1, 600)))
    for _ in range(3):
        same = c.line()  # how much of it is lost is the kill's: time must not have gone on in it
        writer = subprocess.Popen([WRITER, S + '/w', '0', 'tell'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        with contextlib.suppress(BrokenPipeError):
            for _ in range(chance.randrange(1, 30)):
                writer.stdin.write((same + '\n') * chance.randrange(1, 40) + '!\n')
                writer.stdin.flush()
            writer.stdout.read(1)
            writer.kill()
            writer.stdin.close()
        writer.stdout.close()
        writer.wait()
        write(S + '/w', [c.line()])
    quiet(S + '/w', 'killed')
for _ in range(PLACES):  # NTP sets the clock, a little forth and back; it is stopped over a night
    c, lines = Clock(), []
    for _ in range(6):
        lines += c.lines(chance.randrange(1, 200))
        c.now += datetime.timedelta(seconds=chance.choice((-50, -2, -0.5, 0.5, 2, 100)))
        c.beat = min(c.beat, c.now)
    lines.append(c.line('stop'))
    c.now += datetime.timedelta(hours=9)
    write(S + '/w', lines + c.lines(30))
    quiet(S + '/w', 'NTP')
tap.ok(not alarms, 'no false alarm', alarms[0] if alarms else '')
print('# damages: %d kinds, %d in all; undamaged: %d' % (len(DAMAGES) + 3, n_damages + 3 * PLACES, 7 + 4 * PLACES))
tap.done()
