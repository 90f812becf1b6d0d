#!/usr/bin/env python3
"""Does the manual say of each command and option what --help says, and nothing else?

    manual.py PROGRAM PAGE

Commands and their options are what the tool itself tells (`missent completion bash`).  Of each command the page
has an item; an option stands in the item, or in what is said of its whole section; an item that has "filters"
has those of `held list`, one with "options of X" those of X.  An option in the head of an item is one.
A program without subcommands (a daemon, a helper) tells its options and verbs by --help.  Its page, or the
section of another's page that has its name, has an item for each, with both names and an argument where it
takes one; the synopsis of its own page has the short ones.
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


def told_by_help(program):
    """{option: has it an argument?}, {verb}"""
    text = subprocess.run([program, '--help'], capture_output=True, text=True, check=True).stdout
    options = {}
    for letter, name, argument in re.findall(r'^  (?:-(\w), |    )--([a-z-]+)( [A-Z]+)? ', text, re.M):
        options.update({name: bool(argument) for name in ('-' + letter, '--' + name) if name != '-'})
    return options, set(re.findall(r'^  ([a-z]+) ', text, re.M))


def part_of(path, name):
    """The lines of the page about that program; and whether the page is its own."""
    text = open(path, encoding='utf-8').read()
    parts = re.split(r'^\.S[hs] (.*)\n', text, flags=re.M)
    sections = list(zip(parts[1::2], parts[2::2]))
    own = '.Nm %s\n' % name in text.split('.Sh SYNOPSIS')[0]
    lines = [line for heading, body in sections if (not heading.startswith('missent') if own else heading == name)
             for line in body.split('\n')]
    synopsis = [line for heading, body in sections if own and heading == 'SYNOPSIS' for line in body.split('\n')]
    return lines, synopsis


def flags(line):
    return {'-' + name: bool(argument) for name, argument in re.findall(r'Fl (-?[A-Za-z][a-z-]*)( Ar)?', line)}


def amiss_in(program, path):
    name = program.rsplit('/', 1)[1]
    taken, verbs = told_by_help(program)
    lines, synopsis = part_of(path, name)
    said, short = {}, {}
    for line in lines:
        said.update(flags(line) if line.startswith('.It Fl') else {})
    for line in synopsis:
        short.update(flags(line))
    if not synopsis: # --help and --version are every program's
        taken = {option: taken[option] for option in taken.keys() - {'-h', '--help', '-V', '--version'}}
    for option in sorted(taken.keys() | said.keys()):
        if taken.get(option) != said.get(option):
            yield '%s: %s: --help says %s, the manual %s' % (name, option, *(
                {None: 'nothing', False: 'that there is', True: 'that it has an argument'}[of.get(option)]
                for of in (taken, said)))
    if synopsis and short != {option: taken[option] for option in taken if len(option) == 2 and option != '-h'}:
        yield '%s: the synopsis has %s' % (name, ' '.join(sorted(short)))
    described = {line.split()[2] for line in lines if line.startswith('.It Ic ')} if verbs else set()
    yield from ('%s: the verb %s is in one of manual and --help' % (name, verb)
                for verb in sorted(verbs ^ described))


def amiss(tool, path):
    if not tool.endswith('/missent'):
        yield from amiss_in(tool, path)
        return
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
