# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Bad input: each kind is refused with exit 3 and a message with the mistake and its place. Sourced by
# run.

golden check-wrong 3 check $in/wrong.yaml
golden check-good-and-wrong 3 check $in/good.yaml $in/wrong.yaml
json_is 'a wrong file as JSON' 3 '(.files[0].ok | not) and all(.files[0].diagnostics[]; .line > 0)' \
	check $in/wrong.yaml
json_is 'explain of a wrong file as JSON' 3 '.error.exit == 3 and (.diagnostics | length) > 5' \
	explain $in/wrong.yaml egress tcp 10.0.0.1:1

mkdir "$work/tables"
cp $in/tables/acme.yaml "$work/tables"
use='use: [{table: acme, as: appliance, set: {site: x}, peers: {storage: [10.0.0.1], console: [10.0.0.2]}'
bad_policy 'unknown key' ':7:1: error: .*unknown-key' 'colour: blue' "$(rule any 1/tcp)"
bad_policy 'wrong type' ':7:[0-9]+: error' 'rules: none'
bad_policy 'missing peer' 'storage' 'use: [{table: acme, as: appliance, set: {site: x}, peers: {console: [10.0.0.2]}}]'
bad_policy 'peer of a role that no row uses' 'appliance' "use: [{table: acme, as: appliance, set: {site: x}, peers: {storage: [10.0.0.1], console: [10.0.0.2], appliance: [10.0.0.3]}}]"
bad_policy 'reversed range' '1064-1024' "$(rule any 1064-1024/tcp)"
bad_policy 'oversized range' '1-70000' "$(rule any 1-70000/tcp)"
bad_policy 'port 99999' '99999' "$(rule any 99999/tcp)"
bad_policy 'address 10.0.0.300' '10.0.0.300' "$(rule 10.0.0.300 1/tcp)"
bad_policy 'host bits' '10.0.0.0/24' "$(rule 10.0.0.5/24 1/tcp)"
bad_policy 'unknown protocol' 'tpc' "$(rule any 1/tpc)"
bad_policy 'duplicate ids' "'r'|duplicate" 'rules:' \
	'  - {id: r, direction: egress, peer: [any], ports: [1/tcp], action: allow}' \
	'  - {id: r, direction: egress, peer: [any], ports: [2/tcp], action: allow}'
bad_policy 'unknown table' 'acme' 'use: [{table: acne, as: appliance}]'
bad_policy 'unknown role' 'appliance' "${use/as: appliance/as: aplliance}}]"
bad_policy 'unknown peer role' 'storage' "${use/storage:/storge:}}]"
bad_policy 'unknown param' 'web-port' "${use/site: x/site: x, web-prot: 1}}]"
bad_policy 'unknown value' 'web-port|port' "${use/site: x/site: x, web-port: many}}]"
bad_policy 'unknown row in with' 'ping' "$use, with: [pong]}]"
bad_policy 'empty policy' 'empty-policy'
bad_policy 'no attach point' 'attach' 'attach: {}' "$(rule any 1/tcp)"

policy "$work/noname.yaml" "$(rule any 1/tcp)"
sed -i 's/\[eth0\]/[""]/' "$work/noname.yaml"
exits 'bad input: an interface without a name' 3 ':5:23: error: .*bad-attach' check "$work/noname.yaml"
policy "$work/bom.yaml" "$(rule bad 1/tcp)"
sed -i '1s/^/\xef\xbb\xbf/' "$work/bom.yaml"
exits 'a byte order mark is no part of the file' 3 'bom.yaml:7:43: error: .bad. is not' check "$work/bom.yaml"
policy "$work/brackets.yaml" "$(rule any 1/tcp)"
exits 'an IPv6 peer without a port' 2 '\| \[fd00::7\]:443' explain "$work/brackets.yaml" egress tcp '[fd00::7]'
bad_policy 'a wildcard without quotes' 'write its addresses, or a prefix set' "$(rule '*.x.com' 1/tcp)"
bad_policy 'an IPv6 address without quotes' 'needs quotes: "::1"' "$(rule '::1' 1/tcp)"
bad_policy 'every protocol by a wrong word' "for every protocol and port write 'any'" "$(rule any any/ip)"
bad_policy 'any in capitals' "for every address write 'any'" "$(rule ANY 1/tcp)"
bad_policy 'an octal port' 'without the leading 0' "$(rule any 0443/tcp)"
cp policies/tables/aws-datasync.yaml "$work/tables"
bad_policy 'nothing left but a row without ports' 'empty-policy' \
	'use: [{table: aws-datasync, as: datasync-service, set: {region: us-east-2, endpoint: vpc, storage: [fsx-windows]}}]'

exits 'bad input: a file that is not there' 3 'No such file' check "$work/absent.yaml"
exits 'bad input: a directory' 3 'error' check "$work"
exits 'bad input: an empty file' 3 'error' check /dev/null
: >"$work/empty.yaml"
exits 'bad input: nothing in it' 3 'error' check "$work/empty.yaml"
head -c 4096 /dev/urandom >"$work/junk.yaml"
exits 'bad input: binary junk' 3 'junk.yaml' check "$work/junk.yaml"
LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f]' "$work/err" && not_ok 'binary junk does not reach the terminal' ||
	ok 'binary junk does not reach the terminal'
printf 'a: \0\0\0' >"$work/nul.yaml"
exits 'bad input: NUL bytes' 3 'error' check "$work/nul.yaml"
truncate -s 100M "$work/big.yaml"
exits 'bad input: 100 MB' 3 'big.yaml' check "$work/big.yaml"
{
	echo 'a: &a [x, x, x, x, x, x, x, x, x]'
	for pair in ab bc cd de ef fg gh hi; do
		from="*${pair:0:1}"
		echo "${pair:1:1}: &${pair:1:1} [$from, $from, $from, $from, $from, $from, $from, $from, $from]"
	done
} >"$work/bomb.yaml"
exits 'bad input: an alias bomb' 3 'bomb.yaml' check "$work/bomb.yaml"
printf '%s' '[' >"$work/deep.yaml"
for ((i = 0; i < 15; i++)); do
	cat "$work/deep.yaml" "$work/deep.yaml" >"$work/twice" && mv "$work/twice" "$work/deep.yaml"
done
exits 'bad input: 32768 lists in each other' 3 'deep.yaml' check "$work/deep.yaml"
printf 'kind: Policy\n\tmode: audit\n' >"$work/tab.yaml"
exits 'bad input: not YAML' 3 'tab.yaml:2:' check "$work/tab.yaml"
printf 'apiVersion: flowreeve/v1\nkind: Polcy\n' >"$work/kind.yaml"
exits 'bad input: another kind' 3 'Policy' check "$work/kind.yaml"
policy "$work/two.yaml" "$(rule any 1/tcp)"
printf -- '---\nkind: Policy\n' >>"$work/two.yaml"
exits 'bad input: two documents' 3 'two.yaml' check "$work/two.yaml"
policy "$work/secret.yaml" "$(rule any 1/tcp)"
chmod 0 "$work/secret.yaml"
[ "$(id -u)" != 0 ] || as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
exits 'bad input: an unreadable file' 3 'Permission denied' check "$work/secret.yaml"
as=(env)
