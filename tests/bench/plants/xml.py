"""XML: text nodes, attributes, comments, instructions, names, and what stands between."""
import re
from html import escape

from .common import letters

TOKEN = re.compile(r'<!--.*?-->|<\?.*?\?>|<!\[CDATA\[.*?\]\]>|<!DOCTYPE(?:[^\[>]|\[.*?\])*>'
                   r'|</?[^<>!?](?:"[^"]*"|\'[^\']*\'|[^<>"\'])*>', re.S)
ATTRIBUTE = re.compile(r'([^\s=/<>"\']+)\s*=\s*("[^"]*"|\'[^\']*\')')
SPECIAL = {'\u00a0': '&#160;'}


def spelled(text):
    return ''.join(SPECIAL.get(c, c) for c in escape(text))


def decoded(data):
    """(text, how to write it again)."""
    if data[:2] in (b'\xff\xfe', b'\xfe\xff'):
        return data.decode('utf-16', 'replace'), lambda t: t.encode('utf-16')
    head = re.match(rb'\s*<\?xml[^>]*encoding\s*=\s*["\']([\w.-]+)', data)
    name = head.group(1).decode() if head else 'utf-8'
    for charset in (name, 'utf-8', 'latin-1'):
        try:
            text = data.decode(charset)
            return text, lambda t: t.encode(charset, 'xmlcharrefreplace')
        except (LookupError, UnicodeDecodeError):
            pass


class Scanner:
    def __init__(self, places, where, data):
        self.places, self.where = places, where + ' ' if where else ''
        self.text, self.encode = decoded(data)

    def insert(self, name, at, form, upto=None, plain=False):
        """`form`: the piece, with %s for the identifier."""
        text, encode, upto = self.text, self.encode, at if upto is None else upto

        def make(value):
            piece = letters(value) if plain else spelled(value)
            return encode(text[:at] + form.replace('%s', piece) + text[upto:])
        self.places.add(self.where + name, make, plain)

    def attributes(self, element, tag, start):
        for m in ATTRIBUTE.finditer(tag):
            name = '%s@%s' % (element, m.group(1))
            at, end = start + m.start(2) + 1, start + m.end(2) - 1
            if m.group(1).startswith('xmlns'):
                self.insert('namespace URI', end, '/%s', plain=True)
            elif self.places.rng.random() < 0.5:
                self.insert(name, at, '%s', end)
            else:
                self.insert(name, end, ' %s')

    def start_tag(self, element, tag, start, end):
        after_name = start + 1 + len(element)
        self.attributes(element, tag, start)
        self.insert('attribute of no schema', after_name, ' zz="%s"')
        self.insert('name of an attribute', after_name, ' a-%s="1"', plain=True)
        if tag.endswith('/>'):
            return
        self.insert('text in %s' % element, end, '%s ')
        self.insert('element of no schema', end, '<zz>%s</zz>')
        self.insert('name of an element', end, '<a-%s/>', plain=True)

    def scan(self):
        root_seen, last, last_end, elements = False, '', 0, []
        for m in TOKEN.finditer(self.text):
            token, start, end = m.group(), m.start(), m.end()
            between = self.text[last_end:start]
            if between.strip() and elements:
                self.insert('text of %s' % elements[-1], start, ' %s')
                self.insert('text of %s' % elements[-1], last_end, '%s', start)
            if token.startswith('<!--'):
                self.insert('comment', end - 3, ' %s ')
            elif token.startswith('<![CDATA['):
                self.insert('CDATA', end - 3, ' %s')
            elif token.startswith('<?xml ') and start < 4:
                self.insert('between declaration and root', end, '\n<!-- %s -->')
            elif token.startswith('<?'):
                self.insert('instruction', end - 2, ' %s')
            elif token.startswith('</'):
                self.end_tag(token, start, end)
                if elements:
                    elements.pop()
            elif not token.startswith('<!'):
                element = re.match(r'<([^\s/>]+)', token).group(1)
                if not root_seen:
                    self.before_root(element, start)
                    root_seen = True
                self.start_tag(element, token, start, end)
                if not token.endswith('/>'):
                    elements.append(element)
            last, last_end = token, end
        if root_seen:
            self.after_root()

    def end_tag(self, token, start, end):
        self.insert('comment, new', start, '<!-- %s -->')
        self.insert('instruction, new', start, '<?note %s?>')
        self.insert('CDATA, new', start, '<![CDATA[ %s]]>')

    def before_root(self, element, start):
        self.insert('entity used', start, '<!DOCTYPE %s [<!ENTITY zz "%%s">]>' % element)
        self.insert('comment before the root', start, '<!-- %s -->')
        self.insert('instruction before the root', start, '<?note %s?>')

    def after_root(self):
        n = len(self.text)
        self.insert('comment behind the root', n, '<!-- %s -->')
        self.insert('instruction behind the root', n, '<?note %s?>')
        self.insert('text behind the root', n, '\n%s\n')
        self.insert('second root', n, '\n<zz>%s</zz>\n')


def xml_places(places, data, where=''):
    Scanner(places, where, data).scan()
