"""What tests/bench/mail and tests/bench/same share: a site with the directory of a folder of mails."""
import collections
import csv
import json
import os
import re
import subprocess
import sys

# kinds of the mapping to kinds of kinds.conf; what is not here is about the account itself
KINDS = {
    'recipient': 'recipient', 'customer': 'customer-number', 'invoice': 'invoice-number',
    'contract': 'contract-number', 'order': 'order-number', 'iban': 'iban', 'vat': 'vat-id',
    'email': 'email', 'address': 'billing-address', 'registration': 'company-registration',
    'eaddress': 'reference', 'reference': 'reference', 'mandate': 'reference',
    'object': 'reference', 'subscription': 'subscription-id', 'service': 'reference',
}
POLICY = '''
policy "all" {
	require = {"customer-number", "invoice-number", "contract-number", "order-number", "iban",
	           "vat-id", "email", "billing-address", "company-registration", "reference",
	           "subscription-id"}
	tolerate = {"image", "signature"}
	on-unknown-recipient = hold
}
'''
CONF = '''
mode = enforce
state-dir = "%(dir)s"
policy-dir = "%(dir)s/policies"
kinds-file = "%(source)s/policies/kinds.conf"
reader {
	program = "%(build)s/missent-reader"
	ocr-program = "%(build)s/missent-ocr"
	ocr = %(ocr)s
}
directory { key-file = "%(dir)s/site.key" }
'''


def run(args, **more):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def source_of(build, otherwise):
    """The source tree that was built: an older program does not know all settings of a newer one."""
    try:
        with open(build + '/Makefile', encoding='utf-8') as f:
            m = re.search(r'^abs_top_srcdir = (.*)$', f.read(), re.M)
    except OSError:
        m = None
    return m.group(1) if m else otherwise


class Import:
    """What became of the rows of the mapping."""

    def __init__(self, rows, dropped, done):
        self.summary, self.dropped = done.stdout.strip(), dropped
        self.refused = []
        for line in done.stderr.splitlines():
            m = re.search(r'mapping\.csv:(\d+): (.*)', line)
            row = rows[int(m.group(1)) - 2] if m and 2 <= int(m.group(1)) < len(rows) + 2 else None
            self.refused.append((row, m.group(2) if m else line))

    def report(self):
        """Each refused row is an identifier that nothing can find: said one by one."""
        print(self.summary)
        print('not imported, about the account itself:', dict(self.dropped))
        for row, why in self.refused:
            print('refused: %s: %s' % (' '.join(row) if row else '?', why))


def prepare(build, source, corpus, scratch, ocr):
    os.mkdir(scratch + '/policies')
    with open(scratch + '/policies/all.conf', 'w') as f:
        f.write(POLICY)
    conf = scratch + '/missent.conf'
    with open(conf, 'w') as f:
        f.write(CONF % {'dir': scratch, 'source': source, 'build': build,
                        'ocr': 'yes' if ocr else 'no'})
    tool = [build + '/missent', '-c', conf]
    run(tool + ['directory', 'key'], check=True)
    rows, dropped = [], collections.Counter()
    with open(corpus + '/mapping.csv', encoding='utf-8', newline='') as f:
        for row in csv.DictReader(f):
            if row['kind'] in KINDS:
                rows.append((row['account'], KINDS[row['kind']], row['value']))
            else:
                dropped[row['kind']] += 1
    with open(scratch + '/mapping.csv', 'w', encoding='utf-8', newline='') as f:
        csv.writer(f).writerows([('account', 'kind', 'value')] + rows)
    # What is on real invoices does not always pass its own check digits.
    done = run(tool + ['directory', 'import', '--max-bad', '20', scratch + '/mapping.csv'])
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return tool, Import(rows, dropped, done)


def judge_all(tool, sender, recipients, paths):
    """What `missent check` says of each, in their order; None of one that it did not judge."""
    args = tool + ['check', '--json', '--reveal', '--from', sender]
    for to in recipients:
        args += ['--to', to]
    said = {}
    for line in run(args + paths).stdout.splitlines():
        answer = json.loads(line)
        said[answer['message']] = answer
    return [said.get(p) for p in paths]
