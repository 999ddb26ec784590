#!/bin/sh
# Prints the URL of every webhook with curl and jq, one page at a time: the baseline of the README. Needs DIALNEXA_API_KEY and
# DIALNEXA_BASE_URL, as `hookscope demo serve --webhooks 1234 --latency 150` prints them.
set -e
page=1
while
    body=$(curl -sS --fail -H "Authorization: Bearer $DIALNEXA_API_KEY" "$DIALNEXA_BASE_URL/user-webhooks?page=$page&limit=100")
    printf '%s\n' "$body" | jq -r '.data[].url'
    [ "$(printf '%s\n' "$body" | jq '.data | length')" -eq 100 ]
do page=$((page + 1)); done
