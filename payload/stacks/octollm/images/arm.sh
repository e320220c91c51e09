#!/bin/sh
# Starts an arm: upstream's code where this image has it, else the placeholder.
set -eu
if [ -r /run/secrets/OPENAI_API_KEY ]; then
  OPENAI_API_KEY=$(cat /run/secrets/OPENAI_API_KEY)
  PLANNER_OPENAI_API_KEY=$OPENAI_API_KEY
  export OPENAI_API_KEY PLANNER_OPENAI_API_KEY
fi
for package in src app; do
  if [ -f "$package/main.py" ]; then
    exec uvicorn "$package.main:app" --host 0.0.0.0 --port "$PORT"
  fi
done
exec python3 /app/arm_stub.py
