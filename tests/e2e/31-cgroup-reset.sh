#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A server of a cgroup closes while its client still sends: the kernel answers by a RST in the name of a
# socket that has given its port back. That is an answer of the same conversation, not an opening.
. "$(dirname "$0")/lib.sh"

server='import socket
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("10.0.5.5", 22022))
listener.listen()
while True:
    client, _ = listener.accept()
    client.send(b"bye\n")
    client.close()'

# Data sent before the FIN is acknowledged meets a socket that is closing, not one in TIME_WAIT: no
# acknowledgement goes without data.
client='import errno, select, socket, time
client = socket.create_connection(("10.0.5.5", 22022), 30)
client.settimeout(30)
time.sleep(0.01)
client.send(b"still here\n")
reset = select.poll()
reset.register(client, 0)
reset.poll(30000)
error = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
print(errno.errorcode.get(error, error))'

e2e_begin reset
e2e_kind cgroup
lab_spawn server agent /usr/bin/python3 -c "$server"
lab_listens agent t '10.0.5.5:22022'
policy_write "$work/policy.yaml" enforce "$attach"
succeeds 'apply' fr agent apply "$work/policy.yaml"
# Where the client acknowledges the FIN at once, nothing comes of it: some of these meet the closing socket.
for i in 1 2 3 4 5 6; do
	equal "conversation $i: the client is told that the server is gone" EPIPE,ECONNRESET \
		"$(lab_in bastion /usr/bin/python3 -c "$client" 2>&1 | sed 's/^\(EPIPE\|ECONNRESET\)$/EPIPE,ECONNRESET/')"
done
equal 'nothing is reported as refused' '' \
	"$(fr_ask agent '.drops[] | "\(.direction) \(.peer.address) \(.peer.port)"' show drops)"
