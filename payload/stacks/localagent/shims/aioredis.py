"""aioredis 2.0.1 cannot be imported on Python 3.11 and later; redis-py carries the same API."""
from redis.asyncio import *  # noqa: F401,F403
