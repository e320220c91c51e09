#!/bin/sh
# localagent - keys go from slipway's keystore into this process only.
# SPDX-License-Identifier: Apache-2.0
export LOCALAGENT_CONFIG_DIR="${LOCALAGENT_CONFIG_DIR:-@prefix@}" PYTHONDONTWRITEBYTECODE=1
set -- "@prefix@/venv/bin/python" "@prefix@/lib/launcher.py" "$@"
if [ -x "@slipway@" ]; then
	exec "@slipway@" keys exec --stack localagent --optional -- "$@"
fi
exec "$@"
