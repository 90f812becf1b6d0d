"""A mapping written by a program that is not missent's: made from missent-directory(7) alone.

What comes in are rows (account, name of an entry, names of other forms, compact values with their
kind); what goes out are parts and a state, as bytes.  Kinds' canonical values and other forms are
the caller's, as they would be a billing system's.
"""
import hashlib
import re
import struct
import time


def blake(key, size, *pieces):
    return hashlib.blake2b(b''.join(pieces), key=key, digest_size=size).digest()


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


# ---- XChaCha20-Poly1305 (IETF), which most languages have in a library ----

def rounds(state):
    x = list(state)

    def quarter(a, b, c, d):
        for to, by, turned, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[to] = (x[to] + x[by]) & 0xffffffff
            v = x[turned] ^ x[to]
            x[turned] = (v << n | v >> 32 - n) & 0xffffffff
    for _ in range(10):
        for column in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                       (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(*column)
    return x


SIGMA = struct.unpack('<4I', b'expand 32-byte k')


def close_box(text, with_it, nonce, key):
    words = rounds(SIGMA + struct.unpack('<8I', key) + struct.unpack('<4I', nonce[:16]))
    key = tuple(words[:4] + words[12:])
    last = (0,) + struct.unpack('<2I', nonce[16:])

    def block(counter):
        state = SIGMA + key + (counter,) + last
        return struct.pack('<16I', *((a + b) & 0xffffffff for a, b in zip(rounds(state), state)))
    box = b''.join(xor(text[i:i + 64], block(1 + i // 64)) for i in range(0, len(text), 64))
    r, s = (int.from_bytes(block(0)[i:i + 16], 'little') for i in (0, 16))
    r &= 0x0ffffffc0ffffffc0ffffffc0fffffff
    padded = (with_it + bytes(-len(with_it) % 16) + box + bytes(-len(box) % 16)
              + struct.pack('<QQ', len(with_it), len(box)))
    tag = 0
    for i in range(0, len(padded), 16):
        tag = (tag + int.from_bytes(padded[i:i + 16] + b'\1', 'little')) * r % (2 ** 130 - 5)
    return box + ((tag + s) % 2 ** 128).to_bytes(16, 'little')


class Mapping:
    def __init__(self, site_key, generation):
        self.ke = blake(site_key, 32, b'missent mapping entry')
        self.kn = blake(site_key, 32, b'missent mapping nonce')
        self.kb = blake(site_key, 32, b'missent mapping box')
        self.kf = blake(site_key, 32, b'missent filter')[:16]
        self.generation = generation.encode()
        self.entries, self.accounts, self.marks, self.count = set(), set(), [], 0

    @staticmethod
    def value(name):
        if name.startswith(('d:', 'k:')):
            return name[2:]
        form = re.match('a:other=(zeros/[^/]*|[^/]*)/', name)
        return name[form.end():] if form else name.split('=', 1)[1]

    def digest(self, name):
        place, key = (blake(self.ke, 16, text.encode()) for text in (self.value(name), name))
        return place[:4] + key[4:12]

    # ---- entries ----

    def add(self, account, name, others=(), values=()):
        """A row; `values`: (kind, compact text) that it stands in texts as."""
        said = bytes([len(account.encode())]) + account.encode()
        digest = self.digest(name)
        if name.startswith('d:'):
            self.accounts.add((digest, bytes(3), said))
        else:
            link = self.digest('d:' + account)[:3]
            self.entries.add((digest, link, said))
            for other in others:
                self.entries.add((self.digest(other), link, b'\xff' + said + digest[4:8]))
        known = self.digest('k:' + account)
        self.accounts.add((known, bytes(3), b'\xff' + said + self.digest('d:' + account)[4:8]))
        self.count += 1
        self.marks += [self.mark(kind, text.encode()) for kind, text in values]

    # ---- marks ----

    def mark(self, kind, text):
        p = struct.unpack('<Q', self.kf[:8])[0] | 257
        s = struct.unpack('<Q', self.kf[8:])[0]

        def mixed(piece):
            h = 0
            for byte in piece:
                h = (h * p + byte + 1) % 2 ** 64
            z = (h ^ s) % 2 ** 64
            z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 % 2 ** 64
            z = (z ^ z >> 27) * 0x94d049bb133111eb % 2 ** 64
            return struct.pack('<Q', z ^ z >> 31)
        tag = 5381
        for byte in kind.encode():
            tag = (tag * 33 + byte) % 2 ** 32
        return (mixed(text)[:7] + mixed(text[:8])[:3]
                + bytes([len(text), tag * 2654435761 % 2 ** 32 >> 24]))

    # ---- parts ----

    def part(self, name, clear, secret):
        a = self.generation + b'\0' + name.encode() + b'\0' + clear
        iv = blake(self.kn, 16, struct.pack('>I', len(a)), a, secret)
        return iv + clear + close_box(secret, a, iv + bytes(8), self.kb)

    def slice(self, n, entries):
        entries = sorted((digest[4:], said, link) for digest, link, said in entries)
        clear = (struct.pack('>I', len(entries)) + b''.join(e[0] for e in entries)
                 + b''.join(e[2] for e in entries))
        return self.part('s:%d' % n, clear, b''.join(e[1] for e in entries))

    def write(self, source, slices=None):
        """All parts by their name, and the state."""
        s = slices or max(1, len(self.entries) // 32)
        a = max(1, len(self.accounts) // 32)
        places = [[] for _ in range(s + a)]
        for entry in self.entries:
            places[struct.unpack('>I', entry[0][:4])[0] * s >> 32].append(entry)
        for entry in self.accounts:
            places[s + (int.from_bytes(entry[0][:3], 'big') * a >> 24)].append(entry)
        parts = {'s:%d' % n: self.slice(n, entries) for n, entries in enumerate(places)}
        total = bytes(16)
        for g in range((s + a + 255) // 256):
            group = bytes(16)
            for n in range(256 * g, min(256 * g + 256, s + a)):
                group = xor(group, parts['s:%d' % n][:16])
            parts['g:%d' % g] = group
            total = xor(total, group)
        marks = [self.marks[i:i + 4096] for i in range(0, len(self.marks), 4096)] or [[]]
        of_marks = bytes(16)
        for n, some in enumerate(marks):
            parts['m:%d' % n] = self.part('m:%d' % n, b'', b''.join(some))
            of_marks = xor(of_marks, parts['m:%d' % n][:16])
        state = ('missent-mapping=10\ngeneration=%s\ndigests=1\nslices=%d\naccounts=%d\nentries=%d\nloaded=%.6f\n'
                 'changes=%d\nversion=0\nsource=%s\nsum=%s\nmarks=%s\n'
                 % (self.generation.decode(), s, a, self.count, time.time(), len(marks), source, total.hex(),
                    of_marks.hex())).encode()
        seal = blake(self.kn, 16, b'state\0', state)
        return parts, state + b'seal=%s\n' % seal.hex().encode()


def to_sqlite(db, parts, state, generation):
    """Beside what is there, and then in its place."""
    kinds = {'s': 0, 'g': 1, 'm': 2}
    (number,) = db.execute('SELECT ifnull(max(number), 0) + 1 FROM mapping').fetchone()
    db.execute('INSERT INTO mapping VALUES (?, ?, NULL)', (number, generation))
    for name, data in parts.items():
        kind, n = name.split(':')
        db.execute('INSERT INTO part VALUES (?, ?)', (number * 2 ** 36 + kinds[kind] * 2 ** 34 + int(n), data))
    db.commit()
    db.execute('UPDATE mapping SET state = ? WHERE number = ?', (state.decode(), number))
    db.execute('INSERT OR REPLACE INTO current VALUES (1, ?)', (generation,))
    db.commit()


def to_redis(send, prefix, parts, state, generation):
    """`send(*words)` is one command."""
    claim = '%s@billing' % generation
    assert send('SET', prefix + ':loading', claim, 'NX', 'PX', '60000') == b'OK'
    for name, data in parts.items():
        send('SET', '%s:%s:%s' % (prefix, generation, name), data)
    send('MULTI')
    send('SET', '%s:%s:now' % (prefix, generation), state)
    send('SET', prefix + ':current', generation)
    send('DEL', prefix + ':loading')
    send('EXEC')
