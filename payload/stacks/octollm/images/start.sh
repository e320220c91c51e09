#!/bin/sh
# start COMMAND [ARGUMENT]...
# Puts keys, which slipway mounts as files, where the programs look for them: they read variables only.
# What is in a variable here is in no image, no log and no answer of "docker inspect".
set -eu

key() {
  if [ -r "/run/secrets/$1" ]; then
    cat "/run/secrets/$1"
  fi
}

need() {
  if [ ! -s "/run/secrets/$1" ]; then
    echo "start: /run/secrets/$1 is not there: start this stack with \"slipway up octollm\"" >&2
    exit 78
  fi
}

if [ -n "${ORCHESTRATOR_DATABASE_URL-}" ]; then
  need OCTOLLM_POSTGRES_PASSWORD
  PGPASSWORD=$(key OCTOLLM_POSTGRES_PASSWORD)
  ORCHESTRATOR_OPENAI_API_KEY=$(key OPENAI_API_KEY)
  ORCHESTRATOR_ANTHROPIC_API_KEY=$(key ANTHROPIC_API_KEY)
  export PGPASSWORD ORCHESTRATOR_OPENAI_API_KEY ORCHESTRATOR_ANTHROPIC_API_KEY
fi
if [ -n "${ORCHESTRATOR_REDIS_URL-}" ]; then
  need OCTOLLM_REDIS_PASSWORD
  ORCHESTRATOR_REDIS_URL="redis://:$(key OCTOLLM_REDIS_PASSWORD)@${ORCHESTRATOR_REDIS_URL#redis://}"
fi
if [ -n "${REFLEX_REDIS_URL-}" ]; then
  need OCTOLLM_REDIS_PASSWORD
  REFLEX_REDIS_URL="redis://:$(key OCTOLLM_REDIS_PASSWORD)@${REFLEX_REDIS_URL#redis://}"
fi
exec "$@"
