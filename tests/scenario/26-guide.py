"""missent-guide(7), typed line by line on a fresh machine with Debian's Postfix: each command does what the page says."""
from machine import *

tap = Tap()
P = paths()
MAIN_CF = '''compatibility_level = 3.6
myhostname = mx.seller.example
myorigin = seller.example
inet_interfaces = loopback-only
inet_protocols = ipv4
mydestination =
mynetworks = 127.0.0.0/8 10.7.0.0/16
maillog_file =
relayhost = [127.0.0.1]:2525
smtp_host_lookup = native
alias_maps =
alias_database =
'''
CSV = 'account,kind,value\n' + ''.join('%s,%s,"%s"\n' % row for row in (
    ('ALPHA', 'recipient', '@alpha.example'), ('ALPHA', 'customer-number', 'C-10001'), ('BETA', 'recipient', '@beta.example'),
    ('BETA', 'customer-number', 'C-10002'), ('house', 'recipient', '@seller.example')))
# What a command may end with beside 0, and what it says.
ENDS = {'missent doctor --probe': (0, 1, 2, 3), 'missent doctor': (0, 1, 2, 3), 'missent directory lint customers.csv': (0, 1),
        'missent directory learn --from sample.mbox -o learned.csv': (1,),
        'missent check --to else@beta.example invoice.eml': (1,)}
SAYS = {'missent init --dry-run': '+smtpd_milters = unix:missent/missent.sock', 'missent init --yes': 'seen    ',
        'missent status': 'at work', 'missent directory import customers.csv': 'in use',
        'missent directory lookup customer-number C-10001': 'account ALPHA', 'missent held list': 'C-', 'missent resume': '',
        'missent check --to else@beta.example invoice.eml': 'mismatch', 'missent directory suggest-house sample.mbox': 'DE136695976',
        'missent directory learn --from sample.mbox -o learned.csv': 'several: customer-number',
        'missent audit verify': '0 wrong', 'missent init --undo --yes': 'Taken back', 'missent held show $ID': 'mismatch',
        'missent doctor --only probe': 'nothing is wrong'}
SAYS['missent held list'] = 'mismatch'
INVOICE = 'From: billing@seller.example\nTo: anna@alpha.example\nSubject: Invoice\n\nYour customer number: C-10001\nVAT ID: DE136695976\n'


def commands():
    with open(SOURCE + '/milter/cli/missent-guide.7') as f:
        for block in re.findall(r'(?s)\.Bd -literal -offset indent\n(.*?)\.Ed\n', f.read()):
            yield from block.splitlines()


def prepare(box):
    with open('/usr/share/postfix/master.cf.dist') as f:
        box.write('/etc/postfix/master.cf', f.read())
    box.write('/etc/postfix/main.cf', MAIN_CF)
    for name, text in (('customers.csv', CSV), ('invoice.eml', INVOICE), ('sample.mbox', ''.join(
            'From billing Thu Nov 26 00:00:00 2026\n%s\n' % INVOICE.replace('10001', '2%04d' % i) for i in range(30)))):
        box.write('/root/' + name, text)
    done = subprocess.run(['make', '-C', BUILD, '-s', 'install', 'DESTDIR=' + box.root], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    tap.ok(done.returncode == 0, 'make install', done.stdout)
    why = box.boot()
    if why:
        return why
    box.start_sink()
    box.sh('systemctl daemon-reload; systemctl start postfix')
    return None


def files(box):
    return [open(box.root + '/etc/postfix/' + x).read() for x in ('main.cf', 'master.cf')]


def walk(box):
    before, held = files(box), ''
    for line in commands():
        if line == 'missent held list':  # by now it enforces: a wrong one is held
            replies = []  # on a busy machine a temporary failure may be first, and clients come again
            wait_for(lambda: replies.append(box.send(message('wrong', 'Your customer number: C-10002\n', to='anna@alpha.example'),
                                                     ['anna@alpha.example'])) or replies[-1][0] == 250)
            held = queue_id(replies[-1])
            wait_for(lambda: held in box.run('missent', 'held', 'list')[1])
        if line == 'missent status':  # what it publishes by the second
            wait_for(lambda: box.run('missent', 'status')[0] == 0)
        stdin = "anna's password\n" if 'adduser' in line else None
        code, out = box.run('sh', '-c', 'cd /root; ID=%s; %s' % (held, line), stdin=stdin)
        tap.ok(code in ENDS.get(line, (0,)) and SAYS.get(line, '') in out, line, '%d\n%s' % (code, out[-3000:])
               + (box.journal('missent', 'missent-agent')[-1500:] if code else ''))
        if line == 'missent init --yes':
            code, out = box.sh('systemctl is-enabled missent missent-agent; systemctl is-active missent missent-agent')
            tap.same(out.split(), ['enabled', 'enabled', 'active', 'active'], '... services are on')
            tap.ok('postfix' in box.sh('id -nG missent')[1].split(), '... missent comes to the socket\'s group')
        if line == 'missent doctor --probe':
            faults = [x for x in out.splitlines() if x.startswith('fault')]
            tap.ok(not [x for x in faults if 'postfix' in x or 'probe' in x or 'outgoing' in x or 'policies' in x],
                   '... finds nothing that init left open', out)
    tap.same(files(box), before, 'the MTA\'s files are as they were, to the byte')
    code, out = box.sh('systemctl is-active missent; systemctl is-enabled missent; id -nG missent')
    tap.ok('postfix' not in out.split() and 'active' not in out.split() and 'enabled' not in out.split(),
           'services and the group too', out)
    code, reply = box.send(message('after', 'x\n'), ['anna@alpha.example'])
    tap.ok(code == 250, 'and mail goes on', reply)


def taken_away_while_held(box):
    """Postfix renames the files of its queue when its long queue IDs go."""
    code, out = box.sh('missent init --yes')
    tap.ok(code == 0 and 'policies enforce, as ' in out, 'once more; it says that it enforces, as was set', out[-800:])
    held = queue_id(box.send(message('held', 'Your customer number: C-10002\n', to='anna@alpha.example'), ['anna@alpha.example']))
    tap.ok(wait_for(lambda: held in box.run('missent', 'held', 'list')[1]), 'one is held', held)
    code, out = box.sh('missent init --undo --yes')
    tap.ok(code == 0 and 'is held still' in out and 'enable_long_queue_ids = yes stays' in out,
           'taken away while mail is held: that is said', out[-800:])
    box.sh('systemctl restart postfix')
    code, out = box.sh('missent held release %s --why "the last" --to anna@alpha.example --yes' % held)
    tap.ok(code == 0 and 'done' in out, '... and it can be released, after Postfix was started anew', out)


if P['sysconfdir'] != '/etc' or not shutil.which('postfix'):
    tap.skip('missent-guide(7)', 'it is of the usual paths, and of Postfix')
    tap.done()
machine = Machine(scratch_folder())
why = machine.lay() or prepare(machine)
if why:
    tap.skip('missent-guide(7)', why)
else:
    walk(machine)
    taken_away_while_held(machine)
machine.stop()
tap.done()
