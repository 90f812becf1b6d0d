"""PDF: every object of a document, and what can be added to one.

qpdf gives the objects (its JSON, version 2); they are written again here, so that anything can
stand anywhere.
"""
import base64
import binascii
import json
import re
import subprocess
import zlib

from .common import letters
from .xml import xml_places
from .common import Within

REFERENCE = re.compile(r'(\d+) (\d+) R$')


class Stream:
    def __init__(self, dictionary, data):
        self.dict, self.data = dictionary, data


class Name(str):
    pass


class Raw(bytes):
    """Bytes that are written as they are."""


class Doc:
    """Objects by number, and a trailer."""

    def __init__(self, objects, trailer):
        self.objects, self.trailer = objects, trailer
        self.cache = {}

    def new(self):
        return max(self.objects) + 1


def from_json(v):
    if isinstance(v, dict):
        return {k: from_json(x) for k, x in v.items()}
    if isinstance(v, list):
        return [from_json(x) for x in v]
    if isinstance(v, str):
        if v.startswith('u:'):
            return ('s', v[2:])
        if v.startswith('b:'):
            return ('b', bytes.fromhex(v[2:]))
        return Name(v) # a name or a reference
    return v


def load(data, scratch):
    path = scratch + '/in.pdf'
    with open(path, 'wb') as f:
        f.write(data)
    done = subprocess.run(['qpdf', '--json=2', '--json-key=qpdf', '--json-stream-data=inline',
                           '--decode-level=generalized', path], capture_output=True)
    if done.returncode not in (0, 3) or not done.stdout:
        return None
    try:
        table = json.loads(done.stdout)['qpdf'][1]
    except (ValueError, KeyError, IndexError):
        return None
    objects, trailer = {}, None
    for key, v in table.items():
        if key == 'trailer':
            trailer = from_json(v['value'])
        elif key.startswith('obj:'):
            n = int(key[4:].split()[0])
            if 'stream' in v:
                objects[n] = Stream(dict(from_json(v['stream']['dict']), **{'/Length': 0}), base64.b64decode(v['stream']['data']))
            else:
                objects[n] = from_json(v['value'])
    if not objects or trailer is None or '/Root' not in trailer:
        return None
    for key in ('/Prev', '/XRefStm', '/Encrypt', '/Index', '/W', '/Filter', '/DecodeParms', '/Length', '/Type'):
        trailer.pop(key, None)
    return Doc(objects, trailer)


def string(text, how='literal'):
    if isinstance(text, bytes):
        return b'<' + binascii.hexlify(text) + b'>'
    try:
        data = text.encode('ascii')
    except UnicodeEncodeError:
        data = b'\xfe\xff' + text.encode('utf-16-be')
    if how == 'utf-16':
        data = b'\xfe\xff' + text.encode('utf-16-be')
    elif how == 'utf-8':
        data = b'\xef\xbb\xbf' + text.encode()
    elif how == 'hex':
        return b'<' + binascii.hexlify(data) + b'>'
    return b'(' + re.sub(rb'([\\()])', rb'\\\1', data).replace(b'\r', b'\\r') + b')'


def name(text):
    return b'/' + b''.join(bytes([c]) if chr(c).isalnum() or c in b'.-_+@:' else b'#%02x' % c
                           for c in text.encode())


def write_value(v):
    if isinstance(v, Raw):
        return bytes(v)
    if isinstance(v, Name):
        return v.encode() if REFERENCE.match(v) else name(v[1:])
    if isinstance(v, tuple):
        return string(v[1])
    if isinstance(v, dict):
        return b'<<' + b''.join(name(k[1:]) + b' ' + write_value(x) for k, x in v.items()) + b'>>'
    if isinstance(v, list):
        return b'[' + b' '.join(write_value(x) for x in v) + b']'
    if v is None:
        return b'null'
    if isinstance(v, bool):
        return b'true' if v else b'false'
    return b'%d' % v if isinstance(v, int) else ('%.6f' % v).encode()


def write_object(v, filter_='flate', behind=b''):
    if not isinstance(v, Stream):
        return write_value(v)
    d, data = dict(v.dict), v.data
    if '/Filter' not in d and filter_ == 'flate':
        d['/Filter'], data = Name('/FlateDecode'), zlib.compress(data, 1)
    elif '/Filter' not in d and filter_ == 'hex':
        d['/Filter'], data = Name('/ASCIIHexDecode'), binascii.hexlify(data) + b'>'
    elif '/Filter' not in d and filter_ == '85':
        d['/Filter'] = [Name('/ASCII85Decode'), Name('/FlateDecode')]
        data = base64.a85encode(zlib.compress(data, 1)) + b'~>'
    d['/Length'] = len(data)
    return write_value(d) + b'stream\n' + data + behind + b'\nendstream'


def write(doc, changes=None, trailer=None, form='table', before=b'', head=b'', between=None,
          behind=b'', in_trailer=b'', filter_='flate', slack=None, before_trailer=b''):
    """The document with objects replaced or added; `between`: {number: bytes before it}."""
    changes, between = changes or {}, between or {}
    numbers = sorted(set(doc.objects) | set(changes))
    out, at, places = [], 0, {}

    def emit(piece):
        nonlocal at
        out.append(piece)
        at += len(piece)
    emit(before)
    base = at
    emit(b'%PDF-1.7\n%\xe2\xe3\xcf\xd3\n' + head)
    packed = []
    for n in numbers:
        if n in between:
            emit(between[n])
        v = changes.get(n, doc.objects.get(n))
        if form == 'stream' and not isinstance(v, Stream) and n not in between:
            packed.append((n, v))
            continue
        if n in changes or filter_ != 'flate':
            body = write_object(v, filter_, slack if slack and n in changes else b'')
        else:
            body = doc.cache.get(n)
            if body is None:
                body = doc.cache[n] = write_object(v)
        places[n] = at - base
        emit(b'%d 0 obj\n%s\nendobj\n' % (n, body))
    t = dict(trailer or doc.trailer)
    if form == 'stream':
        write_streams(emit, lambda: at - base, places, packed, numbers[-1], t, slack or {})
    else:
        write_table(emit, at - base, places, numbers[-1], t, in_trailer, before_trailer)
    out.append(behind)
    return b''.join(out)


def write_table(emit, start, places, last, trailer, in_trailer, before_trailer):
    rows = [b'0000000000 65535 f \n']
    for n in range(1, last + 1):
        rows.append(b'%010d 00000 n \n' % places[n] if n in places else b'0000000000 00000 f \n')
    trailer['/Size'] = last + 1
    emit(b'xref\n0 %d\n%s%strailer\n%s%s\nstartxref\n%d\n%%%%EOF\n' % (
        last + 1, b''.join(rows), before_trailer, write_value(trailer), in_trailer, start))


def write_streams(emit, where, places, packed, last, trailer, slack):
    """Objects in one object stream, and a cross-reference stream."""
    bodies, index, at = [], [], 0
    for n, v in packed:
        body = slack.get(n, b'') + b'' if isinstance(slack, dict) else b''
        if body:
            bodies.append(body)
            at += len(body)
        body = write_value(v) + b'\n'
        index.append((n, at))
        bodies.append(body)
        at += len(body)
    head = b' '.join(b'%d %d' % i for i in index) + b'\n' + slack.get('head', b'')
    holder, table = last + 1, last + 2
    places[holder] = where()
    data = head + b''.join(bodies) + slack.get('end', b'')
    emit(b'%d 0 obj\n%s\nendobj\n' % (holder, write_object(Stream(
        {'/Type': Name('/ObjStm'), '/N': len(index), '/First': len(head)}, data))))
    places[table] = start = where()
    within = {n: i for i, (n, _) in enumerate(packed)}
    rows = b'\0' * 7
    for n in range(1, table + 1):
        if n in within:
            rows += b'\2' + holder.to_bytes(4, 'big') + within[n].to_bytes(2, 'big')
        elif n in places:
            rows += b'\1' + places[n].to_bytes(4, 'big') + b'\0\0'
        else:
            rows += b'\0' * 7
    trailer.update({'/Type': Name('/XRef'), '/W': [1, 4, 2], '/Size': table + 1})
    emit(b'%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n' % (
        table, write_object(Stream(trailer, rows + slack.get('rows', b''))), start))


# ---- what is where ----

FREE_KEYS = re.compile(r'/(Font|XObject|ExtGState|ColorSpace|Pattern|Shading|Properties|CharProcs'
                       r'|ParentTree|ClassMap|RoleMap|Names|Dests|EmbeddedFiles)/[^/\[\]]+')
REPEATED = ('Kids[]', 'Parent', 'K[]', 'K', 'P', 'Next', 'First', 'Last', 'Prev', 'Pg')


def labels(doc):
    """A path from the trailer for each object that is reached, in words."""
    found, todo = {}, [('trailer', doc.trailer)]
    while todo:
        path, v = todo.pop(0)
        if isinstance(v, Name):
            m = REFERENCE.match(v)
            n = int(m.group(1)) if m else 0
            if m and n in doc.objects and n not in found:
                found[n] = path
                todo.append((path, doc.objects[n]))
        elif isinstance(v, Stream):
            todo.append((path, v.dict))
        elif isinstance(v, dict):
            for k, x in v.items():
                todo.append((step(path, k[1:]), x))
        elif isinstance(v, list):
            for x in v:
                todo.append((step(path, '[]', ''), x))
    return found


def step(path, key, between='/'):
    parts = path.split('/')
    if key in REPEATED and parts[-1] == key:
        return path
    path = path + between + key
    for r in ('/Kids[]/Kids[]', '/K[]/K[]', '/K/K[]', '/K[]/K'):
        if path.endswith(r):
            return path[:-len(r.split('/')[-1]) - 1]
    parts = path.split('/')
    if len(parts) > 2 and parts[-1] in ('Parent', 'P', 'Pg') or len(parts) > 9:
        return parts[0] + '/../' + '/'.join(parts[-2:])
    return FREE_KEYS.sub(r'/\1/*', path)


class Plants:
    def __init__(self, places, doc, form):
        self.places, self.doc, self.form, self.rng = places, doc, form, places.rng
        self.scalar = ('utf-16', 'utf-8', 'hex', 'literal')

    def write(self, changes=None, **more):
        form = more.pop('form', self.form)
        if more.get('between') or more.get('in_trailer') or more.get('before_trailer'):
            form = 'table'
        return write(self.doc, changes, form=form, **more)

    def add(self, name, changes_of, plain=False, **more):
        """`changes_of` gets the spelling and gives the objects that change."""
        self.places.add(name, lambda v: self.write(changes_of(v), **more), plain)

    # ---- what is there already ----

    def objects(self):
        named = labels(self.doc)
        for n, v in self.doc.objects.items():
            path = named.get(n, 'unreferenced')
            if isinstance(v, Stream):
                self.stream(n, v, path)
                self.value(n, v.dict, path, lambda d, v=v: Stream(d, v.data))
            else:
                self.value(n, v, path, lambda x: x)
        self.value(0, self.doc.trailer, 'trailer', None)

    def value(self, n, v, path, rebuild):
        """Each string, name and dictionary within; `rebuild` makes the object of a new value."""
        def replaced(new):
            if n == 0:
                return self.write(trailer=new)
            return self.write({n: rebuild(new)})
        self.walk(v, path, replaced)

    def walk(self, v, path, replaced):
        how = self.rng.choice(self.scalar)
        if isinstance(v, tuple):
            old = v[1] if v[0] == 's' else ''
            if self.rng.random() < 0.5:
                old = ''
            self.places.add('string %s' % path, lambda s: replaced(
                Raw(string((old + ' ' + s).strip(), how))))
        elif isinstance(v, Name) and not REFERENCE.match(v):
            self.places.add('name %s' % path, lambda s: replaced(Name('/' + s)))
        elif isinstance(v, (int, float)) and not isinstance(v, bool):
            self.places.add('number become string %s' % path, lambda s: replaced(Raw(string(s, how))))
        elif isinstance(v, dict):
            where = path if '/' in path else path
            self.places.add('new string key in %s' % where, lambda s: replaced(
                dict(v, **{'/ZZNote': Raw(string(s, how))})))
            self.places.add('new key named in %s' % where, lambda s: replaced(
                dict(v, **{'/' + s: True})))
            if '/Length' not in v:
                self.places.add('comment within an object', lambda s: replaced(
                    Raw(b'% ' + s.encode() + b'\n' + write_value(v))))
            for k, x in v.items():
                if k == '/Length' or k in ('/Size', '/ID') and path == 'trailer': # written anew
                    continue
                self.walk(x, step(path, k[1:]), lambda new, k=k: replaced(dict(v, **{k: new})))
        elif isinstance(v, list):
            for i, x in list(enumerate(v))[:12]:
                self.walk(x, step(path, '[]', ''), lambda new, i=i: replaced(v[:i] + [new] + v[i + 1:]))

    def stream(self, n, s, path):
        what = 'stream %s%s' % (path, ' of a picture' if s.dict.get('/Subtype') == '/Image' else '')
        filter_ = self.rng.choice(('flate', 'flate', 'hex', '85', 'none'))

        def changed(data):
            return self.write({n: Stream(s.dict, data)}, filter_=filter_)
        if s.data.lstrip()[:1] == b'<' and b'<' in s.data[:200]:
            xml_places(Within(self.places, what, changed), s.data)
        content = path.endswith(('Contents', 'Contents[]')) and '/Annots' not in path \
            or s.dict.get('/Subtype') == '/Form'
        if content:
            self.content(n, s, what)
        self.places.add(what + ' appended', lambda v: changed(s.data + b'\n% ' + v.encode() + b'\n'))
        self.places.add(what + ' put before', lambda v: changed(b'% ' + v.encode() + b'\n' + s.data))
        self.places.add(what + ' behind its compressed data', lambda v: self.write(
            {n: s}, filter_='flate', form='table', slack=b'\n' + v.encode()))

    def content(self, n, s, what):
        """Text shown in many ways.  The font is one of the standard ones."""
        changes = self.font_for(n, s)
        if changes is None:
            return
        forms = (
            ('text', 'BT /ZZF 9 Tf 40 40 Td (%s) Tj ET'),
            ('text that is invisible', 'BT 3 Tr /ZZF 9 Tf 40 40 Td (%s) Tj ET'),
            ('text in white', 'BT 1 g /ZZF 9 Tf 40 40 Td (%s) Tj ET'),
            ('text off the page', 'BT /ZZF 9 Tf 40000 -4000 Td (%s) Tj ET'),
            ('text turned by two degrees', 'BT /ZZF 9 Tf .99939 .0349 -.0349 .99939 90 90 Tm (%s) Tj ET'),
            ('text turned by ten degrees', 'BT /ZZF 9 Tf .9848 .1736 -.1736 .9848 90 90 Tm (%s) Tj ET'),
            ('text turned by half a right angle', 'BT /ZZF 9 Tf .7071 .7071 -.7071 .7071 90 90 Tm (%s) Tj ET'),
            ('text turned by a right angle', 'BT /ZZF 9 Tf 0 1 -1 0 90 90 Tm (%s) Tj ET'),
            ('text mirrored', 'BT /ZZF 9 Tf -1 0 0 1 300 90 Tm (%s) Tj ET'),
            ('text that is tiny', 'BT /ZZF .1 Tf 40 40 Td (%s) Tj ET'),
            ('text that is huge', 'BT /ZZF 900 Tf 40 40 Td (%s) Tj ET'),
            ('text with wide spaces', 'BT 6 Tc /ZZF 9 Tf 40 40 Td (%s) Tj ET'),
            ('text, then its twin on it', 'BT /ZZF 9 Tf 40 40 Td (%s) Tj ET BT /ZZF 9 Tf 40.3 40 Td (%s) Tj ET'),
            ('text over other text', 'BT /ZZF 9 Tf 40 40 Td (%s) Tj ET BT /ZZF 9 Tf 42 41 Td (Lorem ipsum dolor sit amet) Tj ET'),
            ('text clipped away', 'q 0 0 1 1 re W n BT /ZZF 9 Tf 400 400 Td (%s) Tj ET Q'),
            ('text in ActualText', '/Span <</ActualText (%s)>> BDC EMC'),
            ('text in Alt', '/Figure <</Alt (%s)>> BDC EMC'),
            ('text in an artifact', '/Artifact BMC BT /ZZF 9 Tf 40 40 Td (%s) Tj ET EMC'),
            ('marked point', '/ZZ <</Note (%s)>> DP'),
            ('inline picture', 'BI /W 40 /H 1 /BPC 8 /CS /G ID %s EI'),
            ('operand of an unknown operator', 'BX (%s) zz EX'),
            ('string left on the stack', '(%s) q Q'),
            ('text without a font', 'BT /NoSuchFont 9 Tf 40 40 Td (%s) Tj ET'),
            ('text after too many Q', 'Q Q Q Q BT /ZZF 9 Tf 40 40 Td (%s) Tj ET'),
            ('comment', '%% %s'))
        for title, form in forms:
            self.places.add(what + ': ' + title, lambda v, form=form: self.write({
                **changes, n: self.shown(changes, n, s, form.replace('%%', '%'), v)}))
        self.places.add(what + ': text in single letters', lambda v: self.write({
            **changes, n: self.shown(changes, n, s, 'BT /ZZF 9 Tf 40 40 Td %s ET' % ' '.join(
                '(%s) Tj' % c for c in v if c.isascii()), '')}), plain=True)
        self.places.add(what + ': text with TJ', lambda v: self.write({
            **changes, n: self.shown(changes, n, s, 'BT /ZZF 9 Tf 40 40 Td [%s] TJ ET' % ' -20 '.join(
                '(%s)' % c for c in v if c.isascii()), '')}), plain=True)
        self.places.add(what + ': text in two lines of a cell', lambda v: self.write({
            **changes, n: self.shown(changes, n, s, wrapped(v), '')}), plain=True)

    def shown(self, changes, n, s, form, v):
        base = changes.get(n, s)
        shown = v.encode('cp1252', 'replace')
        shown = re.sub(rb'([\\()])', rb'\\\1', shown)
        return Stream(base.dict, s.data + b'\n' + form.encode().replace(b'%s', shown) + b'\n')

    def font_for(self, n, s):
        """The changes that give the stream's resources a font named ZZF, or None."""
        font = {'/Type': Name('/Font'), '/Subtype': Name('/Type1'), '/BaseFont': Name('/Helvetica'),
                '/Encoding': Name('/WinAnsiEncoding')}
        if s.dict.get('/Subtype') == '/Form':
            return {n: Stream(dict(s.dict, **{'/Resources': self.with_font(s.dict.get('/Resources'), font)}), s.data)}
        for page_n, page in self.doc.objects.items():
            if isinstance(page, dict) and page.get('/Type') == '/Page':
                contents = page.get('/Contents')
                held = contents if isinstance(contents, list) else [contents]
                if '%d 0 R' % n in held:
                    return {page_n: dict(page, **{'/Resources': self.with_font(self.inherited(page), font)})}
        return None

    def resolve(self, v):
        m = REFERENCE.match(v) if isinstance(v, Name) else None
        return self.doc.objects.get(int(m.group(1))) if m else v

    def inherited(self, page):
        for _ in range(20):
            if page is None or '/Resources' in page:
                break
            page = self.resolve(page.get('/Parent'))
        return (page or {}).get('/Resources')

    def with_font(self, resources, font):
        resources = dict(self.resolve(resources) or {})
        resources['/Font'] = dict(self.resolve(resources.get('/Font')) or {}, **{'/ZZF': font})
        return resources

    # ---- what can be added ----

    def catalog(self):
        n = int(REFERENCE.match(self.doc.trailer['/Root']).group(1))
        return n, self.doc.objects[n]

    def first_page(self):
        for n, v in self.doc.objects.items():
            if isinstance(v, dict) and v.get('/Type') == '/Page':
                return n, v
        return None, None

    def text(self, v):
        return Raw(string(v, self.rng.choice(self.scalar)))

    def in_catalog(self, name, make):
        """`make` gives what is added to the catalog, and further objects from `free` on."""
        n, catalog = self.catalog()
        free = self.doc.new()

        def changes(v):
            more, objects = make(v, free)
            return {**objects, n: dict(catalog, **more)}
        self.add('new ' + name, changes)

    def on_page(self, name, make):
        n, page = self.first_page()
        if page is None:
            return
        free = self.doc.new()

        def changes(v):
            annotation, objects = make(v, free)
            annots = self.resolve(page.get('/Annots')) or []
            return {**objects, n: dict(page, **{'/Annots': list(annots) + [annotation]})}
        self.add('new annotation: ' + name, changes)

    def additions(self):
        t, R = self.text, lambda n: Name('%d 0 R' % n)
        N = Name
        free = self.doc.new()
        self.add('new unreferenced string', lambda v: {free: t(v)})
        self.add('new unreferenced dictionary', lambda v: {free: {'/Note': t(v)}})
        self.add('new unreferenced array', lambda v: {free: [t(v)]})
        self.add('new unreferenced stream', lambda v: {free: Stream({}, v.encode())})
        self.add('new unreferenced content', lambda v: {free: Stream(
            {}, b'BT /F1 9 Tf 40 40 Td (' + v.encode('cp1252', 'replace') + b') Tj ET')})
        self.add('new unreferenced XML', lambda v: {free: Stream({}, b'<a>' + v.encode() + b'</a>')})
        self.add('new stream with unknown filter', lambda v: {free: Stream(
            {'/Filter': N('/ZZDecode')}, v.encode())})
        self.add('new stream in raw ASCII hex', lambda v: {free: Stream(
            {'/Filter': N('/ASCIIHexDecode')}, binascii.hexlify(v.encode()) + b'>')})
        self.add('new unreferenced embedded file', lambda v: {free: Stream(
            {'/Type': N('/EmbeddedFile'), '/Subtype': N('/text#2Fplain')}, v.encode())})
        self.files(t, R, N)
        self.in_catalog('bookmark', lambda v, f: ({'/Outlines': R(f)}, {
            f: {'/Type': N('/Outlines'), '/First': R(f + 1), '/Last': R(f + 1), '/Count': 1},
            f + 1: {'/Title': t(v), '/Parent': R(f)}}))
        self.in_catalog('named destination', lambda v, f: ({'/Names': {'/Dests': {
            '/Names': [t(v), [None, N('/Fit')]]}}}, {}))
        self.in_catalog('destination by name', lambda v, f: ({'/Dests': {'/' + v: [None, N('/Fit')]}}, {}))
        self.in_catalog('page label', lambda v, f: ({'/PageLabels': {'/Nums': [
            0, {'/S': N('/D'), '/P': t(v)}]}}, {}))
        self.in_catalog('JavaScript at opening', lambda v, f: ({'/OpenAction': {
            '/S': N('/JavaScript'), '/JS': t('var a="%s";' % v)}}, {}))
        self.in_catalog('JavaScript by name', lambda v, f: ({'/Names': {'/JavaScript': {'/Names': [
            ('s', 'a'), {'/S': N('/JavaScript'), '/JS': R(f)}]}}}, {f: Stream({}, b'// ' + v.encode())}))
        self.in_catalog('URI base', lambda v, f: ({'/URI': {'/Base': t('http://h.example/' + letters(v))}}, {}))
        self.in_catalog('language', lambda v, f: ({'/Lang': t(v)}, {}))
        self.in_catalog('metadata', lambda v, f: ({'/Metadata': R(f)}, {f: Stream(
            {'/Type': N('/Metadata'), '/Subtype': N('/XML')}, b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>'
            + v.encode() + b'</a></x:xmpmeta>')}))
        self.in_catalog('structure text', lambda v, f: ({'/StructTreeRoot': R(f)}, {
            f: {'/Type': N('/StructTreeRoot'), '/K': R(f + 1)},
            f + 1: {'/S': N('/Figure'), '/Alt': t(v), '/P': R(f)}}))
        self.in_catalog('structure replacement', lambda v, f: ({'/StructTreeRoot': R(f)}, {
            f: {'/Type': N('/StructTreeRoot'), '/K': [R(f + 1)]},
            f + 1: {'/S': N('/Span'), '/ActualText': t(v), '/E': t('x'), '/T': t('y'), '/P': R(f)}}))
        self.in_catalog('name of a layer', lambda v, f: ({'/OCProperties': {
            '/OCGs': [R(f)], '/D': {'/Order': [R(f)], '/OFF': [R(f)]}}}, {
            f: {'/Type': N('/OCG'), '/Name': t(v)}}))
        self.in_catalog('XFA packet', lambda v, f: ({'/AcroForm': {'/Fields': [], '/XFA': [
            ('s', 'datasets'), R(f)]}}, {f: Stream({}, b'<xfa:datasets xmlns:xfa="http://www.xfa.org/schema/xfa-data'
                                                     b'/1.0/"><xfa:data><a>' + v.encode() + b'</a></xfa:data></xfa:datasets>')}))
        self.in_catalog('requirement', lambda v, f: ({'/Requirements': [{'/S': N('/ZZ'), '/V': t(v)}]}, {}))
        self.in_catalog('piece info', lambda v, f: ({'/PieceInfo': {'/Z': {'/Private': {'/A': [t(v)]}}}}, {}))
        self.in_catalog('collection', lambda v, f: ({'/Collection': {'/Schema': {'/A': {
            '/S': N('/S'), '/N': t(v)}}}}, {}))
        self.in_catalog('legal attestation', lambda v, f: ({'/Legal': {'/Attestation': t(v)}}, {}))
        self.in_catalog('output intent', lambda v, f: ({'/OutputIntents': [{
            '/S': N('/GTS_PDFA1'), '/OutputConditionIdentifier': t(v)}]}, {}))
        self.in_catalog('threads', lambda v, f: ({'/Threads': [{'/I': {'/Title': t(v)}}]}, {}))
        self.in_catalog('template page', lambda v, f: ({'/Names': {'/Templates': {'/Names': [
            ('s', 'a'), R(f)]}}}, {f: self.page_with(v, f + 1), f + 1: Stream({}, show(v))}))
        self.in_catalog('alternate presentation', lambda v, f: ({'/Names': {'/AlternatePresentations': {
            '/Names': [t(v), {}]}}}, {}))
        self.in_catalog('renditions', lambda v, f: ({'/Names': {'/Renditions': {'/Names': [
            ('s', 'a'), {'/S': N('/MR'), '/N': t(v)}]}}}, {}))
        self.forms(t, R, N)
        self.annotations(t, R, N)
        self.add('new document information', lambda v: {free: {'/ZZCustom': t(v)}},
                 trailer=dict(self.doc.trailer, **{'/Info': N('%d 0 R' % free)}))
        self.add('new page out of the tree', lambda v: {
            free: self.page_with(v, free + 1), free + 1: Stream({}, show(v))})

    def page_with(self, v, contents):
        return {'/Type': Name('/Page'), '/MediaBox': [0, 0, 600, 800], '/Contents': Name('%d 0 R' % contents),
                '/Resources': {'/Font': {'/ZZF': {'/Type': Name('/Font'), '/Subtype': Name('/Type1'),
                                                  '/BaseFont': Name('/Helvetica')}}}}

    def files(self, t, R, N):
        for key in ('/F', '/UF', '/DOS', '/Mac', '/Unix'):
            self.in_catalog('embedded file under EF%s' % key, lambda v, f, key=key: ({'/Names': {
                '/EmbeddedFiles': {'/Names': [('s', 'a'), {'/Type': N('/Filespec'), '/F': ('s', 'a.txt'),
                                                          '/EF': {key: R(f)}}]}}},
                {f: Stream({'/Type': N('/EmbeddedFile')}, v.encode())}))
        self.in_catalog('associated file', lambda v, f: ({'/AF': [{
            '/Type': N('/Filespec'), '/F': ('s', 'a.txt'), '/EF': {'/F': R(f)}}]},
            {f: Stream({'/Type': N('/EmbeddedFile')}, v.encode())}))
        for key in ('/F', '/UF', '/Desc', '/DOS'):
            self.in_catalog('file specification %s' % key, lambda v, f, key=key: ({'/Names': {
                '/EmbeddedFiles': {'/Names': [('s', 'a'), {'/Type': N('/Filespec'), '/F': ('s', 'a.txt'),
                                                          '/EF': {'/F': R(f)}, key: t(v)}]}}},
                {f: Stream({'/Type': N('/EmbeddedFile')}, b'nothing here')}))
        self.in_catalog('key of an embedded file', lambda v, f: ({'/Names': {'/EmbeddedFiles': {'/Names': [
            t(v), {'/Type': N('/Filespec'), '/F': ('s', 'a.txt'), '/EF': {'/F': R(f)}}]}}},
            {f: Stream({'/Type': N('/EmbeddedFile')}, b'nothing here')}))
        self.in_catalog('embedded file alone encrypted', lambda v, f: ({'/Names': {'/EmbeddedFiles': {'/Names': [
            ('s', 'a'), {'/Type': N('/Filespec'), '/F': ('s', 'a.txt'), '/EF': {'/F': R(f)}}]}}},
            {f: Stream({'/Type': N('/EmbeddedFile'), '/Filter': N('/Crypt'), '/DecodeParms': {
                '/Name': N('/StdCF')}}, bytes(c ^ 0x5a for c in v.encode()))}))
        self.in_catalog('embedded file with a broken filter', lambda v, f: ({'/Names': {'/EmbeddedFiles': {
            '/Names': [('s', 'a'), {'/Type': N('/Filespec'), '/F': ('s', 'a.txt'), '/EF': {'/F': R(f)}}]}}},
            {f: Stream({'/Type': N('/EmbeddedFile'), '/Filter': N('/FlateDecode')}, v.encode())}))

    def forms(self, t, R, N):
        def field(more):
            return lambda v, f: ({'/AcroForm': {'/Fields': [R(f)]}}, {
                f: dict({'/T': ('s', 'a'), '/FT': N('/Tx')}, **more(v))})
        for key in ('/V', '/DV', '/TU', '/TM', '/T', '/RV', '/DS', '/DA'):
            self.in_catalog('form field %s' % key, field(lambda v, key=key: {key: t(v)}))
        self.in_catalog('form choice', field(lambda v: {'/FT': N('/Ch'), '/Opt': [t('x'), [t(v), t('z')]]}))
        self.in_catalog('form button state', field(lambda v: {'/FT': N('/Btn'), '/V': N('/' + v)}))
        self.in_catalog('form script', field(lambda v: {'/AA': {'/K': {
            '/S': N('/JavaScript'), '/JS': t('event.value="%s"' % v)}}}))
        self.in_catalog('signature field', field(lambda v: {'/FT': N('/Sig'), '/V': {
            '/Type': N('/Sig'), '/Reason': t(v), '/Contents': Raw(b'<00>')}}))
        self.in_catalog('form value in a stream', lambda v, f: ({'/AcroForm': {'/Fields': [R(f)]}}, {
            f: {'/T': ('s', 'a'), '/FT': N('/Tx'), '/V': R(f + 1)}, f + 1: Stream({}, v.encode())}))

    def annotations(self, t, R, N):
        rect = [10, 10, 60, 30]
        for kind, key in (('Text', '/Contents'), ('FreeText', '/Contents'), ('FreeText', '/RC'), ('Text', '/T'),
                          ('Text', '/Subj'), ('Stamp', '/NM'), ('Popup', '/Contents'), ('Link', '/Contents'),
                          ('ZZ', '/Contents'), ('Watermark', '/Contents'), ('Redact', '/OverlayText')):
            self.on_page('%s %s' % (kind, key), lambda v, f, kind=kind, key=key: ({
                '/Type': N('/Annot'), '/Subtype': N('/' + kind), '/Rect': rect, key: t(v)}, {}))
        self.on_page('hidden', lambda v, f: ({'/Type': N('/Annot'), '/Subtype': N('/Text'), '/F': 2,
                                              '/Rect': rect, '/Contents': t(v)}, {}))
        self.on_page('link to URI', lambda v, f: ({'/Type': N('/Annot'), '/Subtype': N('/Link'), '/Rect': rect,
                                                   '/A': {'/S': N('/URI'), '/URI': t('http://h.example/?a=' + v)}}, {}))
        self.on_page('link to a file', lambda v, f: ({'/Type': N('/Annot'), '/Subtype': N('/Link'), '/Rect': rect,
                                                      '/A': {'/S': N('/GoToR'), '/F': t(v)}}, {}))
        self.on_page('launch', lambda v, f: ({'/Type': N('/Annot'), '/Subtype': N('/Link'), '/Rect': rect,
                                              '/A': {'/S': N('/Launch'), '/Win': {'/F': ('s', 'a'), '/P': t(v)}}}, {}))
        self.on_page('next action', lambda v, f: ({'/Type': N('/Annot'), '/Subtype': N('/Link'), '/Rect': rect, '/A': {
            '/S': N('/Named'), '/N': N('/NextPage'), '/Next': [{'/S': N('/URI'), '/URI': t('http://h/' + v)}]}}, {}))
        self.on_page('file attachment', lambda v, f: ({
            '/Type': N('/Annot'), '/Subtype': N('/FileAttachment'), '/Rect': rect,
            '/FS': {'/Type': N('/Filespec'), '/F': ('s', 'a.txt'), '/EF': {'/F': R(f)}}},
            {f: Stream({'/Type': N('/EmbeddedFile')}, v.encode())}))
        self.on_page('rich media', lambda v, f: ({
            '/Type': N('/Annot'), '/Subtype': N('/RichMedia'), '/Rect': rect, '/RichMediaContent': {
                '/Assets': {'/Names': [('s', 'a'), {'/F': ('s', 'a.txt'), '/EF': {'/F': R(f)}}]}}},
            {f: Stream({}, v.encode())}))
        self.on_page('sound', lambda v, f: ({
            '/Type': N('/Annot'), '/Subtype': N('/Sound'), '/Rect': rect, '/Sound': R(f)},
            {f: Stream({'/Type': N('/Sound'), '/R': 8000}, v.encode())}))
        for state in ('/N', '/R', '/D'):
            self.on_page('appearance %s' % state, lambda v, f, state=state: ({
                '/Type': N('/Annot'), '/Subtype': N('/Stamp'), '/Rect': rect, '/AP': {state: R(f)}},
                {f: Stream(self.form_dict(), show(v))}))
        self.on_page('widget caption', lambda v, f: ({
            '/Type': N('/Annot'), '/Subtype': N('/Widget'), '/FT': N('/Btn'), '/T': ('s', 'a'), '/Rect': rect,
            '/MK': {'/CA': t(v)}}, {}))
        self.on_page('widget value', lambda v, f: ({
            '/Type': N('/Annot'), '/Subtype': N('/Widget'), '/FT': N('/Tx'), '/T': ('s', 'a'), '/Rect': rect,
            '/V': t(v)}, {}))

    def form_dict(self):
        return {'/Type': Name('/XObject'), '/Subtype': Name('/Form'), '/BBox': [0, 0, 400, 400], '/Resources': {
            '/Font': {'/ZZF': {'/Type': Name('/Font'), '/Subtype': Name('/Type1'), '/BaseFont': Name('/Helvetica')}}}}

    # ---- between objects ----

    def gaps(self):
        def line(v):
            return b'\n' + v.encode() + b'\n'

        def comment(v):
            return b'\n% ' + v.encode() + b'\n'
        add, write_ = self.places.add, self.write
        number = self.rng.choice(sorted(self.doc.objects))
        add('comment between objects', lambda v: write_(between={number: comment(v)}))
        add('garbage between objects', lambda v: write_(between={number: line(v)}))
        add('comment behind the header', lambda v: write_(head=comment(v)))
        add('before the header', lambda v: write_(before=v.encode() + b'\n'))
        add('behind the end', lambda v: write_(behind=line(v)))
        add('comment behind the end', lambda v: write_(behind=comment(v)))
        add('behind the end, after many blanks', lambda v: write_(behind=b' ' * 2000 + v.encode()))
        add('comment in the trailer', lambda v: write_(in_trailer=comment(v)))
        add('garbage before the trailer', lambda v: write_(before_trailer=comment(v)))
        add('object stream: before the first object', lambda v: write_(form='stream', slack={'head': comment(v)}))
        add('object stream: behind the last object', lambda v: write_(form='stream', slack={'end': comment(v)}))
        add('object stream: object that no table lists', lambda v: write_(form='stream', slack={
            'end': string(v) + b'\n'}))
        first = next((n for n, v in self.doc.objects.items() if isinstance(v, dict)), number)
        add('object stream: between objects', lambda v: write_(form='stream', slack={first: comment(v)}))
        add('cross-reference stream: behind its rows', lambda v: write_(form='stream', slack={'rows': v.encode()}))
        add('object that the table does not list', lambda v: write_(between={
            number: b'%d 0 obj\n%s\nendobj\n' % (self.doc.new() + 7, string(v))}))
        add('stream that the table does not list', lambda v: write_(between={
            number: b'%d 0 obj\n%s\nendobj\n' % (self.doc.new() + 7, write_object(Stream({}, v.encode())))}))
        add('older version of an object', lambda v: self.revised(string(v)))
        add('older version of a stream', lambda v: self.revised(write_object(Stream({}, v.encode()))))
        add('older page contents', self.older_page)
        add('second document behind', lambda v: write_() + self.small(v))
        add('second document before', lambda v: self.small(v) + write_())

    def revised(self, body):
        """The document, an update with an object, and one in which it is null."""
        n = self.doc.new()
        first = write(self.doc, {n: Raw(body) if not body.endswith(b'endstream') else Stream({}, b'')})
        if body.endswith(b'endstream'):
            m = re.search(rb'\n%d 0 obj\n.*?endstream' % n, first, re.S)
            first = first[:m.start()] + b'\n%d 0 obj\n' % n + body + first[m.end():]
        return self.update(first, n, b'null')

    def update(self, first, n, body):
        """An incremental update; a reader finds the table by the last startxref."""
        start = int(re.findall(rb'startxref\s+(\d+)', first)[-1])
        at = len(first)
        new = b'%d 0 obj\n%s\nendobj\n' % (n, body)
        trailer = dict(self.doc.trailer, **{'/Size': n + 1 if n >= self.doc.new() else self.doc.new(),
                                            '/Prev': start})
        return first + new + b'xref\n%d 1\n%010d 00000 n \ntrailer\n%s\nstartxref\n%d\n%%%%EOF\n' % (
            n, at, write_value(trailer), at + len(new))

    def older_page(self, v):
        for n, s in self.doc.objects.items():
            if isinstance(s, Stream) and b'BT' in s.data and '/Filter' not in s.dict:
                changes = self.font_for(n, s)
                if changes is not None:
                    old = self.shown(changes, n, s, 'BT /ZZF 9 Tf 40 40 Td (%s) Tj ET', v)
                    return self.update(write(self.doc, {**changes, n: old}), n, write_object(s))
        return None

    def small(self, v):
        doc = Doc({1: {'/Type': Name('/Catalog'), '/Pages': Name('2 0 R')},
                   2: {'/Type': Name('/Pages'), '/Kids': [Name('3 0 R')], '/Count': 1},
                   3: dict(self.page_with(v, 4), **{'/Parent': Name('2 0 R')}), 4: Stream({}, show(v))},
                  {'/Root': Name('1 0 R')})
        return write(doc)


def show(v):
    shown = re.sub(rb'([\\()])', rb'\\\1', v.encode('cp1252', 'replace'))
    return b'BT /ZZF 9 Tf 40 40 Td (' + shown + b') Tj ET\n'


def wrapped(v):
    """A table with narrow cells: the row's other cells stand between the two halves."""
    half = len(v) // 2
    cell = 'BT /ZZF 9 Tf 1 0 0 1 %d %d Tm (%s) Tj ET '
    return cell % (40, 100, 'Item 1') + cell % (120, 100, v[:half]) + cell % (120, 89, v[half:]) \
        + cell % (300, 100, '12,00') + cell % (300, 89, 'EUR')


def example():
    """A document for those who have none."""
    page = {'/Type': Name('/Page'), '/Parent': Name('2 0 R'), '/MediaBox': [0, 0, 600, 800],
            '/Contents': Name('4 0 R'), '/Resources': {'/Font': {'/F1': Name('5 0 R')}}}
    doc = Doc({1: {'/Type': Name('/Catalog'), '/Pages': Name('2 0 R'), '/Lang': ('s', 'en')},
               2: {'/Type': Name('/Pages'), '/Kids': [Name('3 0 R')], '/Count': 1}, 3: page,
               4: Stream({}, b'BT /F1 12 Tf 50 700 Td (Invoice for services) Tj ET'),
               5: {'/Type': Name('/Font'), '/Subtype': Name('/Type1'), '/BaseFont': Name('/Helvetica')},
               6: {'/Title': ('s', 'Invoice'), '/Producer': ('s', 'by hand')}},
              {'/Root': Name('1 0 R'), '/Info': Name('6 0 R')})
    return write(doc)


def pdf_places(places, data, scratch):
    doc = load(data, scratch)
    if doc is None:
        return None
    form = places.rng.choice(('table', 'stream'))
    plants = Plants(places, doc, form)
    plants.objects()
    plants.additions()
    plants.gaps()
    return write(doc, form=form)
