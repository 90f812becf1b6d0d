"""Files of the page as C strings: embed.py NAME=FILE..., on standard output."""
import sys

print('/* Files as they are in the sources, constants; made by embed.py. */')
for argument in sys.argv[1:]:
    name, path = argument.split('=', 1)
    print('extern const char %s[];\nconst char %s[] =' % (name, name))
    with open(path, encoding='utf-8') as f:
        for line in f:
            text = ''.join(c if 31 < ord(c) < 127 and c not in '"\\?' else
                           ''.join('\\%03o' % b for b in c.encode()) for c in line)
            print('\t"%s"' % text)
    print('\t"";')
