# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# `roles` and `new`: for every table and every role a skeleton that check refuses while a choice is open
# and accepts once all are made. Sourced by run.

# A skeleton's open choices, made: params by their first value, or as the caller wants them; peers by an
# address; and of the commented peers those that check asks for.
new_fill() # FILE
{
	sed -i -E 's/^(attach: .*)FILL-IN/\1eth0/; s/^( *[a-z0-9-]*region: )FILL-IN/\1eu-west-1/
		s/^(failsafe: .*)FILL-IN/\110.0.9.0\/24/; s/^(      mountd-port: )FILL-IN/\120048/
		s/^(      [a-z0-9-]+: )(\[?)FILL-IN(\]?)( +# (one or more|one) of )([a-z0-9-]+)/\1\2\6\3\4\6/
		s/^(      [a-z0-9-]+: \[)FILL-IN(\] +# ports)/\18443\2/
		s/^(      [a-z0-9-]+: \[)FILL-IN/\110.1.0.7/' "$1"
}

new_uncomment() # FILE ROLE...
{
	local file=$1 role
	shift
	sed -i 's/^    # peers:/    peers:/' "$file"
	for role; do
		sed -i -E "s/^      # ($role: \[)FILL-IN/      \110.1.0.7/" "$file"
	done
}

# One param of several values has to be another one than the first for some roles: each is tried.
new_try() # FILE: status of the last check
{
	local round roles
	for round in 1 2 3; do
		attempt check --tables policies/tables "$1"
		[ "$status" = 3 ] || return
		# A role that has no rows but optional ones: all of them.
		if grep -q 'empty-use' "$work/err"; then
			sed -i -E '/^    # with:/,/^(    # Rows|#)/s/^    # (with:|  - )/    \1/' "$1"
			continue
		fi
		mapfile -t roles < <(sed -nE "s/.* for role '([a-z0-9-]+)'.*/\1/p; s/.*role '([a-z0-9-]+)' is known only by name.*/\1/p
			s/.*the names of role '([a-z0-9-]+)' need.*/\1/p" "$work/err")
		[ "${#roles[@]}" -gt 0 ] || return
		new_uncomment "$1" "${roles[@]}"
	done
}

# All combinations of the values of the enums and sets that have to be chosen.
new_combinations() # FILE
{
	local line name values value
	mapfile -t lines < <(grep -nE '^      [a-z0-9-]+: \[?FILL-IN\]? +# (one or more|one) of ' "$1" | cut -d: -f1)
	combinations=('')
	for line in "${lines[@]}"; do
		name=$(sed -nE "${line}s/^      ([a-z0-9-]+):.*/\1/p" "$1")
		values=$(sed -nE "${line}s/.*# (one or more|one) of ([a-z0-9, -]+).*/\2/p" "$1")
		local more=() before
		if sed -n "${line}p" "$1" | grep -q 'one or more'; then
			for before in "${combinations[@]}"; do more+=("$before;s/^(      $name: )\[FILL-IN\]/\1[$values]/"); done
		else
			for before in "${combinations[@]}"; do
				for value in ${values//,/ }; do more+=("$before;s/^(      $name: )FILL-IN/\1$value/"); done
			done
		fi
		combinations=("${more[@]}")
	done
}

# Roles whose rows need another value of a param than its default.
new_choose() # ROLE FILE
{
	local choice more=()
	case $1 in
	activation-browser | aws-activation) choice='phase: activation' ;;
	s3) choice='s3-access: prefixes' ;;
	snmp-manager) choice='snmp: [agent]' ;;
	fsx-windows | fsx-lustre | fsx-openzfs) choice="$1-ports: [8443/tcp]" ;;
	storage-management) choice='management-ports: [443/tcp]' ;;
	aws-cloudfront) choice='phase: activation' ;;
	target-instance | fsx-ontap | packages) choice='targets: [fsx-ontap]' ;;
	staas) choice='storage: staas' ;;
	cloud-mediator) choice='mediator: cloud' ;;
	proxy) choice='mediator: cloud' more=('cloud-path: proxy' 'proxy-ports: [3128/tcp]') ;;
	*) return ;;
	esac
	for choice in "$choice" "${more[@]}"; do
		sed -i -E "s@^(    # |    )set:@    set:@; s@^      # ${choice%%:*}: .*@      $choice@" "$2"
	done
}

new_accepted() # TABLE ROLE FILE
{
	local one
	new_choose "$2" "$3"
	new_combinations "$3"
	for one in "${combinations[@]}"; do
		sed -E -e "$one" -e 's/FILL-IN( +# port: )/4048\1/' "$3" >"$work/filled.yaml"
		new_fill "$work/filled.yaml"
		new_try "$work/filled.yaml"
		[ "$status" != 0 ] || return 0
	done
	return 1
}

skeletons=0
for table in policies/tables/*.yaml; do
	attempt roles --json "$table"
	[ "$status" = 0 ] || not_ok "roles of $table" "$(cat "$work/err")"
	mapfile -t roles < <(jq -r '. as $t | .roles[].name | select(. as $r | $t.rows | any(.from == $r or .to == $r))' "$work/out")
	for role in "${roles[@]}"; do
		name="a skeleton for $role of ${table##*/}"
		attempt new --table "$table" --as "$role"
		cp "$work/out" "$work/skeleton.yaml"
		attempt check --tables policies/tables "$work/skeleton.yaml"
		if [ "$status" != 3 ] || grep 'error:' "$work/err" | grep -qv '\[fill-in\]'; then
			not_ok "$name: refused for its open choices only" "$(cat "$work/err")"
		elif ! new_accepted "$table" "$role" "$work/skeleton.yaml"; then
			not_ok "$name: accepted once filled in" "$(cat "$work/err")" "$(cat "$work/filled.yaml")"
		elif grep ': warning: ' "$work/err" | grep -qv 'row-without-ports'; then
			not_ok "$name: no warning that it caused" "$(cat "$work/err")"
		else
			skeletons=$((skeletons + 1))
		fi
	done
done
if [ $skeletons -gt 60 ]; then
	ok "skeletons for all $skeletons roles of all tables"
else
	not_ok 'skeletons for all roles of all tables' "only $skeletons"
fi

exits 'new: names its choices at their places' 3 'this choice is still to be made' check --tables policies/tables "$work/skeleton.yaml"
exits 'new: an unknown role' 3 "did you mean 'agent'" new --tables policies/tables --table aws-datasync --as agnet
exits 'new: a role of another edition' 3 "edition 2024-09 of 'aws-datasync' has role 's3'" new --tables policies/tables --table aws-datasync --as s3
exits 'new: an unknown table' 3 "did you mean 'qumulo'" new --tables policies/tables --table qumolo --as node
exits 'new: no role' 2 'needs --table and --as' new --table qumulo
exits 'new: a name that cannot be' 2 'cannot be the name' new --tables policies/tables --table qumulo --as node --name 'a b'
exits 'new: nothing to attach to' 2 'takes KIND=NAME' new --tables policies/tables --table qumulo --as node --attach eth0
exits 'new: a pattern is for the editor' 2 'not a name to attach to' new --tables policies/tables --table qumulo --as node --attach 'guests=tap*'
attempt new --tables policies/tables --table qumulo --as client --name q --attach guests=tap0
if grep -q '^metadata: {name: q}$' "$work/out" && grep -q '^attach: {guests: \[tap0\]}' "$work/out"; then
	ok 'new: name and attach point as asked for'
else
	not_ok 'new: name and attach point as asked for' "$(cat "$work/out")"
fi
golden new-mediator 0 new --tables policies/tables --table snapmirror-active-sync --as mediator
golden roles-mediator 0 roles --tables policies/tables snapmirror-active-sync
attempt new --tables policies/tables --table aws-mgn --as s3 --attach interfaces=eth0
sed -E 's/^(      region: )FILL-IN/\1eu-west-1/; s/^(failsafe: .*)FILL-IN/\110.0.9.0\/24/' "$work/out" >"$work/s3.yaml"
if grep -q '^    #   source-s3: set s3-access: prefixes, name its peer$' "$work/out"; then
	ok 'new: what selects a row, where the defaults select none'
else
	not_ok 'new: what selects a row, where the defaults select none' "$(cat "$work/out")"
fi
exits 'check: what selects a row' 3 "set: \{s3-access: prefixes\} for 'source-s3'" check --tables policies/tables "$work/s3.yaml"
