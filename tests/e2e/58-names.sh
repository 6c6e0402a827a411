#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The policy that a command means. detach without a name takes off the only one; of several it takes none
# without a name or --all. zero takes rules, and its error for a policy's name points to --policy.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

applied() { fr_ask agent '[.policies[].policy] | join(" ")' status; }

e2e_begin names
policy_write "$work/one.yaml" enforce '{interfaces: [ens5]}'
e2e_cgroup agent agent
policy_write "$work/two.yaml" audit "{cgroups: [/$LAB_TAG-agent]}"
sed -i 's/name: e2e/name: two/' "$work/two.yaml"

fr_exits 'nothing is applied: detach' 0 agent detach
matches 'nothing is applied: detach says so' 'no policy was applied' "$said"
fr_exits 'nothing is applied: zero' 1 agent zero
matches 'nothing is applied: zero says where' "no policy is applied below $LAB_DIR/bpf/flowreeve" "$said"
fr_exits 'nothing is applied: detach of a name' 1 agent detach e2e

succeeds 'one' fr agent apply "$work/one.yaml"
fr_exits 'one: zero takes a rule' 0 agent zero echo
fr_exits 'one: zero takes no policy' 2 agent zero e2e
matches 'one: zero leads to --policy' "\| flowreeve zero --pin-root $LAB_DIR/bpf/flowreeve --policy e2e\$" "$said"
fr_exits 'one: which does it' 0 agent zero --policy e2e
fr_exits 'one: zero of what is neither' 1 agent zero ech
matches 'one: zero of what is neither says what is near' "did you mean 'echo'" "$said"
succeeds 'one: detach without a name takes it off' fr agent detach
equal 'one: it is off' '' "$(applied)"

succeeds 'two: the first' fr agent apply "$work/one.yaml"
succeeds 'two: the second' fr agent apply "$work/two.yaml"
fr_exits 'two: detach without a name' 2 agent detach
matches 'two: names them' '2 policies are applied.*: e2e, two' "$said"
matches 'two: and the command for all' "\| flowreeve detach --all --pin-root $LAB_DIR/bpf/flowreeve\$" "$said"
equal 'two: both are in force' 'e2e two' "$(applied)"
fr_exits 'two: zero of a rule wants to know whose' 2 agent zero echo
matches 'two: and names the policies' 'e2e, two' "$said"
fr_exits 'two: zero of a policy' 2 agent zero two
matches 'two: leads to --policy' '--policy two$' "$said"
fr_exits 'two: all and a name' 2 agent detach --all two
fr_exits 'two: detach of one' 0 agent detach two
equal 'two: the other is in force' e2e "$(applied)"
succeeds 'two: the second again' fr agent apply "$work/two.yaml"
rm "$LAB_DIR"/bpf/flowreeve/two/e*/fr_images
fr_exits 'two, one of them damaged: detach names both' 2 agent detach
matches 'two, one of them damaged: both' 'e2e, two' "$said"
succeeds 'two: all' fr agent detach --all
equal 'two: both are off' '' "$(applied)$(pins_left)"
