"""Compound files (doc, xls, ppt, msg): each stream, storage, property, and slack."""
import re
import struct

from .common import bytes_places, letters, put

FREE, END, FAT, DIFAT = 0xffffffff, 0xfffffffe, 0xfffffffd, 0xfffffffc
NONE = 0xffffffff


class Entry:
    def __init__(self, name, kind, raw, data=b''):
        self.name, self.kind, self.raw, self.data, self.children = name, kind, raw, data, []


def chain(fat, start, limit=1 << 20):
    while start < len(fat) and limit:
        yield start
        start = fat[start]
        limit -= 1


def read(data):
    """The root entry, with its children."""
    if data[:8] != b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1':
        raise ValueError('no compound file')
    size = 1 << struct.unpack_from('<H', data, 30)[0]
    directory, = struct.unpack_from('<I', data, 48)
    cutoff, mini_start = struct.unpack_from('<II', data, 56)
    difat_next, = struct.unpack_from('<I', data, 68)

    def sector(n):
        return data[(n + 1) * size:(n + 2) * size]
    fat_sectors = [n for n in struct.unpack_from('<109I', data, 76) if n < DIFAT]
    while difat_next < DIFAT:
        words = struct.unpack('<%dI' % (size // 4), sector(difat_next))
        fat_sectors += [n for n in words[:-1] if n < DIFAT]
        difat_next = words[-1]
    fat = [w for n in fat_sectors for w in struct.unpack('<%dI' % (size // 4), sector(n))]

    def stream(start, length):
        return b''.join(sector(n) for n in chain(fat, start))[:length]
    entries = []
    raw = b''.join(sector(n) for n in chain(fat, directory))
    for at in range(0, len(raw), 128):
        e = raw[at:at + 128]
        n, kind = struct.unpack_from('<HB', e, 64)
        entries.append((e, e[:max(0, n - 2)].decode('utf-16-le', 'replace'), kind))
    root_start, root_size = struct.unpack_from('<II', entries[0][0], 116)
    mini = stream(root_start, root_size)
    mini_fat = [w for n in chain(fat, mini_start) for w in struct.unpack('<%dI' % (size // 4), sector(n))]

    def content(e):
        start, length = struct.unpack_from('<II', e, 116)
        if length >= cutoff:
            return stream(start, length)
        return b''.join(mini[n * 64:n * 64 + 64] for n in chain(mini_fat, start))[:length]

    def build(i, depth=0):
        e, name, kind = entries[i]
        entry = Entry(name, kind, e, content(e) if kind == 2 else b'')
        todo = [struct.unpack_from('<I', e, 76)[0]] if kind in (1, 5) else []
        seen = set()
        while todo:
            n = todo.pop()
            if n == NONE or n >= len(entries) or n in seen or depth > 20:
                continue
            seen.add(n)
            entry.children.append(build(n, depth + 1))
            todo += struct.unpack_from('<II', entries[n][0], 68)
        return entry
    return build(0)


def write(root, slack=b'', free=b''):
    """`slack`: behind the data of the last small stream; `free`: in a sector of nobody."""
    entries, streams = [], []

    def add(entry):
        at = len(entries)
        entries.append([entry, NONE, NONE, NONE])
        kids = sorted(entry.children, key=lambda c: (len(c.name), c.name.upper()))
        numbers = [add(c) for c in kids]

        def tree(low, high):
            if low >= high:
                return NONE
            mid = (low + high) // 2
            entries[numbers[mid]][1] = tree(low, mid)
            entries[numbers[mid]][2] = tree(mid + 1, high)
            return numbers[mid]
        entries[at][3] = tree(0, len(numbers))
        return at
    add(root)
    sectors, fat, mini, mini_fat = [], [], b'', []

    def store(data, pad=b'\0'):
        if not data:
            return END
        first = len(sectors)
        for at in range(0, len(data), 512):
            piece = data[at:at + 512]
            sectors.append(piece + (slack if slack and at + 512 >= len(data) else b'').ljust(512 - len(piece), pad)[:512 - len(piece)])
            fat.append(len(sectors))
        fat[-1] = END
        return first
    places = []
    for entry, *_ in entries:
        if entry.kind != 2 or not entry.data:
            places.append(END)
        elif len(entry.data) >= 4096:
            places.append(store(entry.data))
        else:
            places.append(len(mini_fat))
            n = (len(entry.data) + 63) // 64
            mini_fat += [len(mini_fat) + i + 1 for i in range(n - 1)] + [END]
            mini += entry.data + slack[:-len(entry.data) % 64].ljust(-len(entry.data) % 64, b'\0')
    if free:
        sectors.append(free.ljust(512, b'\0')[:512])
        fat.append(FREE)
    mini_at = store(mini)
    mini_fat_data = struct.pack('<%dI' % len(mini_fat), *mini_fat)
    mini_fat_at = store(mini_fat_data, b'\xff')
    table = b''
    for i, (entry, left, right, child) in enumerate(entries):
        name = entry.name.encode('utf-16-le')[:62]
        start, length = (mini_at, len(mini)) if i == 0 else (places[i], len(entry.data))
        table += name.ljust(64, b'\0') + struct.pack('<HBBIII', len(name) + 2, entry.kind, 1, left, right, child) \
            + entry.raw[80:116] + struct.pack('<IQ', start, length)[:12]
    blank = b'\0' * 68 + struct.pack('<III', NONE, NONE, NONE) + b'\0' * 48
    while len(table) % 512:
        table += blank
    table_at = store(table)
    count = 1
    while (len(fat) + count) > count * 128:
        count += 1
    fat_at = len(fat)
    fat += [FAT] * count
    fat_data = struct.pack('<%dI' % len(fat), *fat).ljust(count * 512, b'\xff')
    head = b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1' + b'\0' * 16 + struct.pack(
        '<HHHHH', 0x3e, 3, 0xfffe, 9, 6) + b'\0' * 6 + struct.pack(
        '<IIIIIIIII', 0, count, table_at, 0, 4096, mini_fat_at, (len(mini_fat_data) + 511) // 512, END, 0)
    difat = list(range(fat_at, fat_at + count))[:109]
    head += struct.pack('<109I', *(difat + [FREE] * (109 - len(difat))))
    return head + b''.join(sectors) + fat_data


def changed(root, target, data=None, name=None, extra=None):
    """A copy in which one entry has other data, another name, or one child more."""
    new = Entry(root.name, root.kind, root.raw, root.data)
    new.children = [changed(c, target, data, name, extra) for c in root.children]
    if root is target:
        if data is not None:
            new.data = data
        if name is not None:
            new.name = name
        if extra is not None:
            new.children.append(extra)
    return new


def runs(data):
    """Stretches of text of one or two bytes a letter."""
    for m in re.finditer(rb'[ -~]{10,}', data):
        yield m.start(), m.end(), 'latin-1'
    for m in re.finditer(rb'(?:[ -~]\0){10,}', data):
        yield m.start(), m.end(), 'utf-16-le'


def overwritten(data, start, end, charset, v):
    piece = v.encode(charset, 'replace')
    if len(piece) > end - start:
        return None
    return data[:start] + piece + b' '.decode().encode(charset) * ((end - start - len(piece)) // (2 if charset[0] == 'u' else 1)) \
        + data[end - (end - start - len(piece)) % (2 if charset[0] == 'u' else 1):end]


def ole_places(places, data):
    root = read(data)

    def label(path):
        return re.sub(r'[\x00-\x1f]', '', path)

    def walk(entry, path):
        for child in entry.children:
            here = label(path + child.name)
            if child.kind == 2:
                one(child, here)
            elif child.kind == 1:
                extra = Entry('ZZ', 2, b'\0' * 128)
                places.add('new stream in %s' % here, lambda v, c=child, e=extra: write(changed(
                    root, c, extra=Entry('ZZNote', 2, b'\0' * 128, v.encode()))))
                walk(child, path + child.name + '/')

    def one(child, here):
        d = child.data
        places.add('stream %s appended' % here, lambda v: write(changed(root, child, d + b'\0' + v.encode() + b'\0')))
        places.add('stream %s appended, UTF-16' % here, lambda v: write(changed(
            root, child, d + b'\0' * (2 - len(d) % 2) + v.encode('utf-16-le') + b'\0\0')))
        for start, end, charset in list(runs(d))[:400]:
            places.add('text in stream %s, %s' % (here, charset), lambda v, s=start, e=end, c=charset: (
                lambda new: new and write(changed(root, child, new)))(overwritten(d, s, e, c, v)))
        for n in range(2):
            if len(d) > 200:
                at = places.rng.randrange(len(d))
                places.add('stream %s within' % here, lambda v, at=at: write(changed(
                    root, child, put(d, at, v.encode(), at + len(v.encode())))))
    walk(root, '')
    places.add('new stream', lambda v: write(changed(root, root, extra=Entry('ZZNote', 2, b'\0' * 128, v.encode()))))
    places.add('new stream, large', lambda v: write(changed(root, root, extra=Entry(
        'ZZNote', 2, b'\0' * 128, b'\1' * 5000 + v.encode()))))
    places.add('new stream of UTF-16', lambda v: write(changed(root, root, extra=Entry(
        'ZZNote', 2, b'\0' * 128, v.encode('utf-16-le')))))
    places.add('new document in a stream', lambda v: write(changed(root, root, extra=Entry(
        'Ole10Native', 2, b'\0' * 128, b'<html><p>%s</p></html>' % v.encode()))))
    places.add('name of a stream', lambda v: write(changed(root, root, extra=Entry(letters(v)[:30], 2, b'\0' * 128, b'x'))), plain=True)
    places.add('name of a storage', lambda v: write(changed(root, root, extra=Entry(letters(v)[:30], 1, b'\0' * 128))), plain=True)
    places.add('slack of a sector', lambda v: write(root, slack=v.encode()))
    places.add('sector of nobody', lambda v: write(root, free=v.encode()))
    places.add('behind the last sector', lambda v: write(root) + v.encode())
    return write(root)


def example():
    root = Entry('Root Entry', 5, b'\0' * 128)
    root.children = [Entry('WordDocument', 2, b'\0' * 128, b'\xec\xa5' + b'\0' * 600 + b'Invoice for services. Total: 12,00\r' + b'\0' * 4000),
                     Entry('Contents', 2, b'\0' * 128, b'Dear customer, see the invoice.')]
    return write(root)
