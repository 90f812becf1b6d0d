"""Places, and the spellings of what is planted in them."""
import random
import re


class Value:
    """An identifier; `plain` is the spelling with letters and digits (and - . @) alone."""

    def __init__(self, kind, plain, spellings):
        self.kind, self.plain, self.spellings = kind, plain, [plain] + spellings


def iban(rng):
    account = '37040044%010d' % rng.randrange(10 ** 10)
    rest = int(account + '131400')
    return 'DE%02d%s' % (98 - rest % 97, account)


def values(seed):
    """What is planted: kinds that are known wherever they stand, without a label."""
    rng = random.Random(seed)
    number = iban(rng)
    uuid = '%08x-%04x-4%03x-a%03x-%012x' % (rng.randrange(1 << 32), rng.randrange(1 << 16),
                                            rng.randrange(1 << 12), rng.randrange(1 << 12),
                                            rng.randrange(1 << 48))
    groups = [number[i:i + 4] for i in range(0, len(number), 4)]
    customer = 'KX%02d-%05d-%04d' % (rng.randrange(100), rng.randrange(10 ** 5),
                                     rng.randrange(10 ** 4))
    return [
        Value('iban', number, [' '.join(groups), '-'.join(groups), number.lower(),
                               '\u00a0'.join(groups)]),
        Value('subscription-id', uuid, [uuid.upper(), '{%s}' % uuid]),
        Value('customer-number', customer, [customer.lower(), customer.replace('-', ' '),
                                            customer.replace('-', '/')]),
    ]


def pattern_of(name):
    """Names that differ in a number alone are one kind of place."""
    return re.sub(r'(?<!base)(?<!UTF-)(?<!\d)\d+', '*', name)


class Places:
    """The places of one document: of each kind of place at most `keep`, chosen by chance."""

    def __init__(self, rng, keep=4):
        self.rng, self.keep, self.by_name, self.seen = rng, keep, {}, {}

    def add(self, name, make, plain=False):
        """`make` gets a spelling and gives the document; `plain`: letters and digits alone."""
        name = pattern_of(name)
        n = self.seen[name] = self.seen.get(name, 0) + 1
        kept = self.by_name.setdefault(name, [])
        if n <= self.keep:
            kept.append((make, plain))
        else:
            at = self.rng.randrange(n)
            if at < self.keep:
                kept[at] = (make, plain)

    def choose(self, count):
        """(name, make, plain): each kind of place once, then again, up to `count`."""
        names = sorted(self.by_name)
        self.rng.shuffle(names)
        chosen = []
        for turn in range(self.keep):
            for name in names:
                if turn < len(self.by_name[name]):
                    if len(chosen) >= count:
                        return chosen
                    chosen.append((name,) + self.by_name[name][turn])
        return chosen


class Within:
    """Places of a document that is kept in another: `name` before theirs, `wrap` around."""

    def __init__(self, places, name, wrap):
        self.places, self.name, self.wrap, self.rng = places, name, wrap, places.rng

    def add(self, name, make, plain=False):
        wrap = self.wrap
        self.places.add('%s %s' % (self.name, name), lambda v: wrap(make(v)), plain)


def letters(text):
    """As a name of XML or of a file may be."""
    return re.sub(r'[^A-Za-z0-9.-]', '-', text)


def put(data, at, piece, upto=None):
    return data[:at] + piece + data[at if upto is None else upto:]


def bytes_places(places, data, what='bytes'):
    """Of a document about which nothing is known."""
    places.add(what + ' appended', lambda v: data + b'\n' + v.encode() + b'\n')
    places.add(what + ' put before', lambda v: v.encode() + b'\n' + data)
    for _ in range(3):
        at = places.rng.randrange(len(data) + 1)
        places.add(what + ' within', lambda v, at=at: put(data, at, b'\0' + v.encode() + b'\0'))
    places.add(what + ' appended, UTF-16', lambda v: data + b'\0' + v.encode('utf-16-le') + b'\0\0')
