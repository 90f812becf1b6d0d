#!/usr/bin/env python3
"""Does missent(1) say of each command what its --help says, and nothing else?

    manual.py TOOL PAGE

Commands and their options are what the tool itself tells (`missent completion bash`).  Of each command the page
has an item; an option stands in the item, or in what is said of its whole section; an item that has "filters"
has those of `held list`, one with "options of X" those of X.  An option in the head of an item is one.
Prints what is amiss; exit 1 if something is.
"""
import re
import subprocess
import sys


def commands(tool):
    """{command: its long options}"""
    script = subprocess.run([tool, 'completion', 'bash'], capture_output=True, text=True, check=True).stdout
    rows = [row.split('\t') for row in script.split("<<'END'\n")[1].split('\nEND\n')[0].split('\n')]
    taken, words = {}, set()
    for path, word, _ in rows:
        if word.startswith('--'):
            taken.setdefault(path, set()).add(word)
        else:
            words.add((path + ' ' + word).strip())
    return {path: options - {'--help'} for path, options in taken.items() if path in words}


def options(line):
    return set('--' + name for name in re.findall(r'Fl (?:Fl |-)([a-z][a-z-]*)', line))


class Page:
    def __init__(self, path, known):
        self.head, self.body, self.also = {}, {}, {}
        of_section, section, current, heading = {}, '', [], False
        where = {}
        for line in open(path, encoding='utf-8'):
            if line.startswith(('.Sh', '.Ss')):
                section, current = line, []
            elif line.startswith('.El') and current and depth == 1:
                current = []
            name = self.command(line, known) if line.startswith('.It Ic ') else None
            if name:
                current = current + [name] if heading else [name]
                where.setdefault(name, section)
                self.head.setdefault(name, set()).update(options(line))
                self.also.setdefault(name, []).extend(re.findall(r'options of ([a-z]+)', line) +
                                                      (['list'] if 'filters' in line else []))
            heading = bool(name)
            depth = 1 if name else depth + line.startswith('.Bl') - line.startswith('.El') if current else 0
            for command in current:
                self.body.setdefault(command, set()).update(options(line))
            if not current:
                of_section.setdefault(section, set()).update(options(line))
        for name, section in where.items():
            self.body[name] |= of_section.get(section, set())

    @staticmethod
    def command(line, known):
        words = line.split()[2:]
        return next((' '.join(words[:n]) for n in range(len(words), 0, -1) if ' '.join(words[:n]) in known), None)

    def says(self, name):
        said = set(self.body[name])
        for other in self.also[name]:
            said |= self.body.get(name.rsplit(' ', 1)[0] + ' ' + other, set())
        return said


def amiss(tool, path):
    known = commands(tool)
    page = Page(path, known)
    for name, taken in sorted(known.items()):
        if name not in page.head:
            yield '%s: is not in the manual' % name
            continue
        yield from ('%s: the manual does not say %s' % (name, option) for option in sorted(taken - page.says(name)))
        yield from ('%s: has no %s, which the manual says' % (name, option)
                    for option in sorted(page.head[name] - taken))


if __name__ == '__main__':
    wrong = list(amiss(*sys.argv[1:3]))
    print('\n'.join(wrong), end='\n' if wrong else '')
    sys.exit(bool(wrong))
