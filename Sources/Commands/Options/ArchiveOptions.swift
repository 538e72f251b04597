// Options of archiving WAL and getting it back (cli.md section 1.3, Archive).

import BackstopCore

let archiveOptions = OptionSpec.section(
    "Archive",
    [
        .global("archive-async", .boolean, default: "n", Commands.archive, "push ahead, and get ahead, in the background")
            .unsupportedValues("y").instead("n").details(
                "A background process works while the server asks for one segment after the other."),
        .global("archive-timeout", .time(100...day), default: "1m", Commands.archive.union(["backup", "check"]), "time for WAL to arrive")
            .details(
                """
                How long backup and check wait for a segment in the repository, and archive-get for a repository that does not answer.
                """),
        .global(
            "archive-get-failure", .choice(["stop", "continue"]), default: "stop", ["archive-get"],
            "what a recovery does when it is not known whether a repository has the WAL"
        )
        .details(
            """
            PostgreSQL takes every exit status from 1 to 125 for the end of the archive, and promotes. With stop, archive-get ends with \
            200 then, and the server stops; it goes on with the recovery when it is started again. With continue it ends with the \
            number of the error, and the recovery ends there without the rest of the WAL. A standby asks again by itself and gets \
            the number of the error.
            """),
        .global(
            "archive-check", .boolean, default: "y", ["archive-push", "backup", "check"],
            "make sure that a backup's WAL is in the repository"
        )
        .details("A backup without its WAL cannot be restored, unless archive-copy put it into the backup."),
        .global(
            "archive-mode-check", .boolean, default: "y", ["archive-push", "backup", "check"], "refuse clusters with archive_mode=always"
        )
        .when("archive-check", "y", otherwise: "n").details("There a standby pushes the same segments as its primary."),
        .global("archive-copy", .boolean, default: "n", Commands.backup, "put the WAL that the backup needs into it")
            .details("Such a backup can be restored without the archive; its WAL is stored twice."),
        .global("archive-header-check", .boolean, default: "y", ["archive-push"], "make sure that WAL is from this cluster")
            .details("Compares version and system identifier in each segment with the stanza."),
        .global("archive-push-queue-max", .size(0...4 * PiB), ["archive-push"], "give up WAL when more than this is waiting")
            .oldNames("archive-queue-max")
            .details(
                """
                The segments are dropped and reported as archived: the server goes on instead of filling its disk, and recovery to \
                a point after them needs a new backup.
                """),
        .global("archive-push-batch-size", .size(MiB...4 * PiB), default: "16GiB", ["archive-push"], "WAL that one background run takes on")
            .unsupported().instead("16GiB").details("Only with archive-async."),
        .global("archive-get-queue-max", .size(0...4 * PiB), default: "128MiB", ["archive-get"], "WAL that is fetched ahead")
            .unsupported().instead("128MiB").details("Only with archive-async."),
        .global("archive-missing-retry", .boolean, default: "y", ["archive-get"], "ask again for WAL that was missing a moment ago")
            .unsupported().instead("y").details("Only with archive-async."),
    ])
