#!/bin/sh
set -eu
cat >"$RABBITMQ_CONFIG_FILE" <<END
default_user = ${RABBITMQ_DEFAULT_USER:-guest}
default_pass = ${RABBITMQ_DEFAULT_PASS:-guest}
default_user_tags.administrator = true
disk_free_limit.absolute = 50MB
log.file = false
log.console = true
END
echo '[rabbitmq_management].' >"$RABBITMQ_ENABLED_PLUGINS_FILE"
exec rabbitmq-server
