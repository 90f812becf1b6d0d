"""The words of the page: words.py FILE.po..., a table of C on standard output; words.py --check SOURCE
says which words lack a translation, and which translations nobody needs.

The files are GNU gettext's, as translators' tools write them: msgid, msgid_plural, msgstr, msgstr[N], and in
their header Language, Plural-Forms and X-Native-Name.  "{name}" in a word stands for a value.
"""
import ast
import glob
import os
import re
import sys


def read_po(path):
    """(header, [(msgid, msgid_plural or None, [msgstr...])]); exits where the file is not in order."""
    entries, entry, key = [], {}, None
    with open(path, encoding='utf-8') as f:
        lines = f.read().splitlines() + ['']
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if line.startswith('#'):
            if line.startswith('#,') and 'fuzzy' in line:
                sys.exit('%s:%d: a fuzzy translation is none' % (path, number))
            continue
        found = re.fullmatch(r'(msgid|msgid_plural|msgstr(?:\[\d\])?)\s+(".*")', line)
        if found:
            key = found.group(1)
            if key == 'msgid' and entry:
                entries.append(entry)
                entry = {}
            if key in entry:
                sys.exit('%s:%d: %s twice' % (path, number, key))
            entry[key] = ast.literal_eval(found.group(2))
        elif line.startswith('"') and key:
            entry[key] += ast.literal_eval(line)
        elif line:
            sys.exit('%s:%d: not understood' % (path, number))
    if entry:
        entries.append(entry)
    if not entries or entries[0]['msgid'] != '':
        sys.exit('%s: has no header' % path)
    header = dict(x.split(': ', 1) for x in entries[0]['msgstr'].splitlines() if ': ' in x)
    out = []
    for e in entries[1:]:
        forms = [e[k] for k in sorted(e) if k.startswith('msgstr')]
        out.append((e['msgid'], e.get('msgid_plural'), forms))
    return header, out


def plural_of(header, path):
    """(number of forms, an expression of C in n)."""
    found = re.fullmatch(r'nplurals=([1-4]); plural=([n0-9 ()?:!=<>&|%]+);?', header.get('Plural-Forms', ''))
    if not found:
        sys.exit('%s: Plural-Forms is not understood' % path)
    return int(found.group(1)), found.group(2)


def c_text(text):
    return '"%s"' % ''.join(c if 31 < ord(c) < 127 and c not in '"\\?' else
                            ''.join('\\%03o' % b for b in c.encode()) for c in text)


def table(paths):
    languages = []
    for path in paths:
        header, entries = read_po(path)
        code = header['Language']
        forms, plural = plural_of(header, path)
        print('static unsigned plural_%s(unsigned long n)\n{\n\treturn (unsigned)(%s);\n}' % (code, plural))
        print('static const Word words_%s[] = {' % code)
        for msgid, _, strings in sorted(entries, key=lambda e: e[0].encode()):
            print('\t{%s, {%s}},' % (c_text(msgid), ', '.join(map(c_text, strings[:4]))))
        print('};')
        languages.append('\t{%s, %s, words_%s, G_N_ELEMENTS(words_%s), plural_%s},' % (
            c_text(code), c_text(header['X-Native-Name']), code, code, code))
    print('static const Language languages[] = {\n%s\n};' % '\n'.join(languages))


# ---- which words there are ----

def joined(literals):
    return ''.join(ast.literal_eval(x) for x in re.findall(r'"(?:[^"\\]|\\.)*"', literals))


TEXT = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'


def arguments(source, call):
    """The arguments of each such call, nested calls and strings kept whole."""
    for found in re.finditer(r'\b' + call + r'\(\s*r,\s+', source):
        out, depth, at = [''], 0, found.end()
        while depth >= 0:
            literal = re.compile(r'"(?:[^"\\]|\\.)*"').match(source, at)
            c = literal.group() if literal else source[at]
            at += len(c)
            depth += {'(': 1, ')': -1}.get(c, 0)
            if c == ',' and depth == 0:
                out.append('')
            elif depth >= 0:
                out[-1] += c
        yield out


def words_in(argument):
    """The words that an argument may be: those of "a ? b : c" without what is asked, and without other calls."""
    literals = re.compile(r'"(?:[^"\\]|\\.)*"')
    kept = []
    plain = literals.sub(lambda m: kept.append(m.group()) or '\0%d\0' % (len(kept) - 1), argument)
    while re.search(r'\([^()]*\)', plain):
        plain = re.sub(r'\w*\([^()]*\)', '', plain)
    for piece in re.split(r'[?:]', plain)[('?' in plain):]:
        found = re.findall('\0(\\d+)\0', piece)
        if found:
            yield ''.join(ast.literal_eval(kept[int(x)]) for x in found)


def names_of(root, table):
    """The strings of a table of names, wherever it stands."""
    for path in sorted(glob.glob(root + '/milter/*/*.c')):
        with open(path, encoding='utf-8') as f:
            found = re.search(r'\b' + table + r'\[[^\]]*\]\s*=\s*\{([^}]*)\}', f.read())
        if found:
            return [ast.literal_eval(x) for x in re.findall(r'"(?:[^"\\]|\\.)*"', found.group(1))]
    sys.exit('there is no table ' + table)


def needed(root):
    """Word to its plural (None: it has none)."""
    out = {}
    for path in sorted(glob.glob(root + '/milter/review/*.c')):
        with open(path, encoding='utf-8') as f:
            source = f.read()
        for _, one, many in arguments(source, 'TN'):
            out[joined(one)] = joined(many)
        for call in arguments(source, 'T'):
            for word in words_in(call[0]):
                out.setdefault(word, None)
        for literal in re.findall(r'\bW\(\s*' + TEXT + r'\)', source):
            out.setdefault(joined(literal), None)
    for table in ('ms_reason_names', 'ms_outcome_names', 'ms_action_names', 'ms_state_names', 'ms_role_names',
                  'ms_level_names', 'ms_unread_names', 'ms_sort_names'):
        for word in names_of(root, table):
            out.setdefault(word, None)
    with open(root + '/policies/kinds.conf', encoding='utf-8') as f:
        for word in re.findall(r'^kind "([^"]+)"', f.read(), re.M):
            out.setdefault(word, None)
    return out


def check(root):
    """Prints what is wrong; English needs no row but may have one, where the program's word is a technical one."""
    wanted = needed(root)
    for path in sorted(glob.glob(root + '/milter/review/words/*.po')):
        header, entries = read_po(path)
        name, seen = os.path.basename(path), {}
        forms, _ = plural_of(header, path)
        for msgid, plural, strings in entries:
            if msgid in seen:
                print('%s: twice: %s' % (name, msgid))
            seen[msgid] = True
            if msgid not in wanted:
                print('%s: nobody needs: %s' % (name, msgid))
            elif wanted[msgid] != plural:
                print('%s: another plural: %s' % (name, msgid))
            if len(strings) != (forms if plural else 1) or not all(strings):
                print('%s: not translated: %s' % (name, msgid))
            values = set(re.findall(r'\{\w+\}', msgid + (plural or '')))
            for text in strings:
                if set(re.findall(r'\{\w+\}', text)) - values or (
                        not plural and set(re.findall(r'\{\w+\}', text)) != values):
                    print('%s: other values in: %s' % (name, text))
                if '<' in text or '%' in text.replace('%%', ''):
                    print('%s: markup or a format in: %s' % (name, text))
        if header['Language'] != 'en':
            for msgid in sorted(set(wanted) - set(seen)):
                print('%s: missing: %s' % (name, msgid))


if __name__ == '__main__':
    if sys.argv[1] == '--check':
        check(sys.argv[2])
    elif sys.argv[1] == '--needed':
        for word, plural in sorted(needed(sys.argv[2]).items()):
            print(word, '|', plural) if plural else print(word)
    else:
        table(sys.argv[1:])
