"""What tests/bench/recognition and tests/bench/spellings share: a directory, and questions to it."""
import collections
import csv
import os
import re
import subprocess
import sys

Finding = collections.namedtuple('Finding', 'kind value belief owners text')
TENTATIVE, CHECKED = 16, 2

# kinds of truth.tsv to kinds of kinds.conf
TRUTH = {
    'buyer_id': 'customer-number', 'invoice_number': 'invoice-number', 'purchase_order': 'order-number',
    'sales_order': 'order-number', 'contract_reference': 'contract-number', 'payee_iban': 'iban',
    'buyer_vat': 'vat-id', 'seller_vat': 'vat-id', 'buyer_email': 'email', 'seller_email': 'email',
    'buyer_legal_registration': 'company-registration', 'seller_legal_registration': 'company-registration',
    'buyer_reference': 'reference',
}


def rows(path):
    with open(path, encoding='utf-8', newline='') as f:
        return list(csv.DictReader(f, delimiter='\t', quoting=csv.QUOTE_NONE))


def unescape(text):
    return re.sub(r'\\([tnr\\])', lambda m: {'t': '\t', 'n': '\n', 'r': '\r', '\\': '\\'}[m.group(1)], text)


def escape(text):
    return text.replace('\\', '\\\\').replace('\n', '\\n').replace('\t', '\\t').replace('\r', '\\r')


class Asker:
    """A directory with these (account, kind, value), and what is found with it."""

    def __init__(self, build, source, scratch, mapping, stderr=None):
        self.config = os.path.join(scratch, 'missent.conf')
        os.makedirs(os.path.join(scratch, 'state'), exist_ok=True)
        with open(self.config, 'w', encoding='utf-8') as f:
            f.write('state-dir = "%s/state"\npolicy-dir = "%s/policies"\n'
                    'directory { digests = no }\n' % (scratch, source))
        with open(os.path.join(scratch, 'mapping.csv'), 'w', encoding='utf-8', newline='') as f:
            csv.writer(f).writerows([('account', 'kind', 'value')] + [tuple(m) for m in mapping])
        done = subprocess.run([os.path.join(build, 'missent'), '-c', self.config, 'directory', 'import',
                               '--max-bad', '100', os.path.join(scratch, 'mapping.csv')],
                              capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
        self.process = subprocess.Popen([os.path.join(build, 'tests/bench/findings'), self.config],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr)

    def ask(self, letter, what):
        line = what if letter == 'D' else escape(what)
        return self.send(letter, line)

    def is_one(self, kind, value):
        """Would an import take it?"""
        return bool(self.send('K', kind + '\t' + escape(value)))

    def send(self, letter, line):
        self.process.stdin.write(('%s\t%s\n' % (letter, line)).encode('utf-8', 'surrogatepass'))
        self.process.stdin.flush()
        found = []
        while True:
            line = self.process.stdout.readline().decode('utf-8', 'replace').rstrip('\n')
            if line == '.' or not line:
                return found
            parts = line.split('\t')
            found.append(Finding(parts[1], parts[2], int(parts[3]), parts[4].split(), '\t'.join(parts[5:])))

    def text(self, text):
        return self.ask('T', text)

    def document(self, path):
        return self.ask('D', path)
