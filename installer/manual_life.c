/* installer/manual_life.c - what people are told about the commands of a stack's life, and of a stack of one's own
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/manual_text.h"

#define STARTS                                                                                \
	"ok failed incomplete unverified foreign unavailable io busy denied config deadline " \
	"interrupted"
#define OPENS_KEYS "key-file passphrase-file passphrase-fd keystore accept-rollback"

const ManualText manual_life_table[] = {
	{ .name = "up",
	  .details =
	          "Starts the containers of a stack that was installed with them. Looks first "
	          "whether "
	          "the engine answers and the ports are free or its own; puts the keys where the "
	          "services find them; starts what does not run, and waits until the engine calls "
	          "every service healthy and its health URL answers.\n\n"
	          "When a service is not well, its last lines and the likely cause are shown, and "
	          "what this run started is taken back: its containers, networks and new volumes. "
	          "What ran before goes on running. A run that was killed is finished by the next "
	          "one. When all is up, nothing is changed.",
	  .example = "slipway up localagent\n"
	             "slipway up localagent --json | jq -r '.services[].url'",
	  .settings = "lock-timeout json events " OPENS_KEYS,
	  .statuses = STARTS,
	  .files = "state keystore" },
	{ .name = "down",
	  .details = "Stops and removes the containers and networks of a stack, and then the keys "
	             "that were handed over to them in memory. Volumes, images and the keystore "
	             "stay, and a network that a container of yours is on, which is said. After a "
	             "restart of the machine the stack stays down.",
	  .example = "slipway down localagent",
	  .settings = "lock-timeout json",
	  .statuses = STARTS,
	  .files = "state" },
	{ .name = "restart",
	  .details =
	          "Starts the containers of a stack again, or those of some of its services, and "
	          "waits until they are healthy.",
	  .example = "slipway restart localagent\n"
	             "slipway restart localagent redis",
	  .settings = "lock-timeout json " OPENS_KEYS,
	  .statuses = STARTS,
	  .files = "state keystore" },
	{ .name = "reset",
	  .details =
	          "Removes the containers, networks and volumes of one stack, and the keys that "
	          "were "
	          "handed over to it. Names all of it and asks; where nobody can answer, --yes is "
	          "needed. The installation, the images and the keystore stay, and so does every "
	          "other stack.",
	  .example = "slipway backup localagent before-reset\n"
	             "slipway reset localagent",
	  .settings = "yes lock-timeout json",
	  .statuses = STARTS,
	  .files = "state" },
	{ .name = "logs",
	  .details =
	          "Shows the last lines of every service of a stack, or of those that are named, "
	          "merged by the time at which they were written. Each line has its service in "
	          "front, in a colour of its own on a terminal; lines of stderr are no different. "
	          "Colours and control characters of the programs themselves are taken out. With "
	          "--events each line is one JSON object.",
	  .example = "slipway logs localagent\n"
	             "slipway logs localagent redis -f -n 0",
	  .settings = "json events plain",
	  .statuses = "ok foreign unavailable denied deadline config interrupted",
	  .files = "state" },
	{ .name = "test",
	  .details = "Runs every test of the stack's definition: commands, commands inside of a "
	             "container, pages that have to answer. Each has its own verdict; a test whose "
	             "steps were not installed is left out, and shown as skipped.",
	  .example =
	          "slipway test localagent\n"
	          "slipway test localagent --json | jq '.tests[] | select(.verdict == \"fail\")'",
	  .settings = "json events",
	  .statuses = "ok failed foreign unavailable denied config interrupted",
	  .files = "state" },
	{ .name = "exec",
	  .details =
	          "Runs a command in the running container of a service, on this terminal if there "
	          "is one. Ends with the status of the command.",
	  .example = "slipway exec localagent redis redis-cli ping\n"
	             "slipway exec localagent localagent -- sh -c 'ls -l /app'",
	  .settings = "",
	  .statuses = "ok foreign unavailable denied deadline config",
	  .files = "state" },
	{ .name = "open",
	  .details =
	          "Lists the addresses of a stack's services. With SERVICE, opens that one in the "
	          "browser, where there is a terminal and a display; elsewhere prints the address.",
	  .example = "slipway open localagent\n"
	             "slipway open localagent grafana",
	  .settings = "json",
	  .statuses = "ok foreign unavailable denied deadline config",
	  .files = "state" },
	{ .name = "backup",
	  .details =
	          "Writes the volumes of a stack into a new directory: a tar file for each, and a "
	          "manifest with their digests. Services that run are stopped for it and started "
	          "again afterwards; with --live they run on, and what they write meanwhile may be "
	          "torn. Keys are not in it: see \"slipway keys export\". The directory appears "
	          "when it is whole.",
	  .example = "slipway backup localagent\n"
	             "slipway backup localagent /srv/backup/monday",
	  .settings = "lock-timeout json",
	  .statuses = STARTS,
	  .files = "state" },
	{ .name = "restore",
	  .details = "Puts the volumes of a stack back as a backup has them. Compares every digest "
	             "before anything is touched, names what is replaced, and asks. What ran "
	             "before is "
	             "started again. A restore that was killed is done again from the start; until "
	             "then the stack does not start.",
	  .example = "slipway restore localagent /srv/backup/monday",
	  .settings = "yes lock-timeout json " OPENS_KEYS,
	  .statuses = "data untrusted cannot-create " STARTS,
	  .files = "state keystore" },
	{ .name = "deploy",
	  .details =
	          "Puts another image in the place of the one that a stack's service runs, while "
	          "requests go on. The stack has the service twice, blue and green, behind a "
	          "proxy; "
	          "one of them is active. The other one is started with IMAGE, a fixed tag or "
	          "digest, and tried: its container is healthy, it is ready, it says that it is "
	          "this "
	          "deployment, its test passes, and the proxy's own check does. Then the proxy "
	          "leads "
	          "10, 50 and 100 % of the requests to it, and each step is watched for 30 s. At "
	          "last "
	          "the old one answers what it has, and is stopped.\n\n"
	          "Before that, the data that the definition names is kept as \"slipway backup\" "
	          "does, and can be put back by \"slipway restore\". Backups are removed after 7 "
	          "days, but for the newest.\n\n"
	          "A new version that does not start, or fails in a step (more than 3 errors, or "
	          "than good answers; a "
	          "container that is not well), gets no requests any more and is stopped; the old "
	          "one "
	          "has all of them again. With --no-rollback, or AUTO_ROLLBACK=false, it stays as "
	          "it "
	          "is, and the status is that of an incomplete rollback.\n\n"
	          "--rollback goes back to the version that was active before, in the same steps "
	          "and "
	          "without a backup; done twice, it goes forth again. When the program was killed, "
	          "the next run first brings traffic, files and containers to what the state says; "
	          "with --rollback that is all it does, unless the new version had been made "
	          "active.\n\n"
	          "The numbers are lines of the stack's env file: TRAFFIC_STEPS=10,50,100 "
	          "TRAFFIC_STEP_SECONDS=30 MAX_STEP_ERRORS=3 HEALTH_CHECK_TIMEOUT=300 "
	          "ROLLBACK_TIMEOUT=600 BACKUP_RETENTION_DAYS=7 AUTO_ROLLBACK=true. "
	          "deployments/STACK in the state directory has state.json, audit.log (a JSON "
	          "object "
	          "on each line), backups/ID and reports/ID.json.",
	  .example = "slipway deploy localagent localagent:1.2.3 --dry-run\n"
	             "slipway deploy localagent localagent:1.2.3\n"
	             "slipway deploy localagent --rollback",
	  .settings = "yes lock-timeout json events " OPENS_KEYS,
	  .statuses = STARTS,
	  .files = "state keystore" },
	{ .name = "stack new",
	  .details = "Writes the directory MY-STACK with a small stack that runs: a stack.ini in "
	             "which every section is explained, a compose file with one service, its "
	             "variables, and a README. What is there already is never touched.",
	  .example = "slipway stack new hello\n"
	             "slipway stack lock ./hello\n"
	             "slipway stack lint ./hello\n"
	             "slipway install ./hello",
	  .settings = "json",
	  .statuses = "ok io cannot-create denied",
	  .files = "" },
	{ .name = "stack lint",
	  .details =
	          "Holds a definition to what is asked of those that slipway carries: steps that "
	          "can "
	          "be planned, tests, keys that are handed over and stand nowhere else, services "
	          "with a health check, limits, a bounded log, ports on loopback that can be "
	          "moved, "
	          "images with tag and digest, no password, no privilege, no fixed name or "
	          "address. "
	          "Without STACK, the one in this directory. Each finding has its file and line, "
	          "what follows from it and what can be done.\n\n"
	          "Compose files are judged as \"docker compose config\" reads them, which needs "
	          "docker with its compose plugin, but no engine; without them the rest is judged, "
	          "and the status is 69, unless --no-compose says that this is meant.\n\n"
	          "What has to be otherwise stands in stack.ini, with a reason, as an [exception "
	          "NAME]: see slipway-stack(5). It is shown and let pass.",
	  .example = "slipway stack lint\n"
	             "slipway stack lint ./hello --json | jq '.findings[] | select(.is_excepted | "
	             "not)'",
	  .settings = "json",
	  .statuses = "ok failed unavailable data deadline config cannot-create io",
	  .files = "" },
	{ .name = "stack lock",
	  .details =
	          "Writes the digest of each image behind its tag, redis:7.4.2@sha256:..., so that "
	          "every machine gets the image that was looked at, whatever the tag stands for by "
	          "then. The images are those that \"slipway stack lint\" judges: of the services "
	          "that are not built, and in FROM and COPY --from of the Dockerfiles. The digests "
	          "stand in the stack's own files, where compose, docker and bots understand them: "
	          "there is no further file. Without STACK, the one in this directory.\n\n"
	          "Images with a digest are left alone, unless --refresh asks for what their tags "
	          "stand for today. The digest is written wherever a text file of the directory "
	          "has "
	          "the name as a whole, except in *.md and behind symbolic links; a name without a "
	          "tag, only where an image is named: behind \"image:\", a variable with IMAGE in "
	          "its "
	          "name, FROM. A name that stands in no file, because it is put together from "
	          "variables, is told, and the status is 1.\n\n"
	          "The engine asks the registries, through its own mirrors and proxies, and with "
	          "no "
	          "account. What could be had is written where others could not; the status is 69 "
	          "then. For an image that lacks amd64 or arm64, the line says so.\n\n"
	          "--check writes nothing and takes an archive or an embedded stack too: the "
	          "status is "
	          "1 when an image has no digest, or one that its registry does not have. That a "
	          "tag "
	          "stands for another image today is only told.",
	  .example = "slipway stack lock ./hello\n"
	             "slipway stack lock --refresh ./hello\n"
	             "slipway stack lock --check ./hello --json | jq '.images[].status'",
	  .settings = "json",
	  .statuses = "ok failed unavailable data deadline config cannot-create io denied "
	              "interrupted",
	  .files = "" },
};
const gsize manual_life_count = G_N_ELEMENTS(manual_life_table);
