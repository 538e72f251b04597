// Options of what a repository is and how it is laid out, and of how long things stay there (cli.md section 1.3).

import BackstopCore

let repositoryOptions = OptionSpec.section(
    "Repository",
    [
        .global(
            "repoN-type", .choice(["azure", "cifs", "gcs", "posix", "s3", "sftp", "ssh"]), default: "posix", Commands.repository,
            "where the repository is"
        )
        .unsupportedValues("azure", "gcs").oldNames("repo-type")
        .details("posix is a folder of this host; cifs is one without links."),
        .global("repoN-path", .path, default: "/var/lib/pgbackstop", Commands.repository, "folder of the repository")
            .peersDefault("/var/lib/pgbackrest")
            .oldNames("repo-path").details("In an object store what all names begin with. Repositories do not share one."),
        .global("repoN-bundle", .boolean, default: "n", Commands.backup, "store small files together").unsupportedValues("y").instead("n")
            .details("Fewer and larger files, for object stores and clusters with many small tables."),
        .global("repoN-bundle-size", .size(MiB...PiB), default: "20MiB", Commands.backup, "size at which a bundle is full")
            .when("repo-bundle", "y").unsupported().details("Before compression."),
        .global("repoN-bundle-limit", .size(8 * KiB...PiB), default: "2MiB", Commands.backup, "largest file that goes into a bundle")
            .when("repo-bundle", "y").unsupported().details("Larger files are stored each for itself."),
        .global("repoN-block", .boolean, default: "n", Commands.backup, "store only the changed blocks of files").unsupportedValues("y")
            .instead("n")
            .when("repo-bundle", "y", otherwise: "n").details("For large tables of which little changes."),
        .global("repoN-hardlink", .boolean, default: "n", Commands.backup, "link unchanged files to the previous backup")
            .when("repo-bundle", "n", otherwise: "n").oldNames("hardlink")
            .details("Each backup then looks complete in the folder of the repository."),
        .global("repoN-symlink", .boolean, default: "y", Commands.retaining, "make symbolic links in the repository")
            .when("repo-type", "posix", "ssh", otherwise: "n").details(
                "latest, which points to the newest backup, and those of tablespaces."),
        .global("repo-target-time", .string, Commands.readingInThePast, "see the repository as it was at this time")
            .when("repo").details("For object stores that keep old versions."),
        .global("repoN-local", .boolean, default: "n", Commands.repository, "take the repository to be on this host")
            .hidden().details("Whatever repo-host says."),
        .global("repoN-block-size-map", .map, Commands.backup, "block size by file size")
            .hidden().when("repo-block", "y").unsupported().details("SIZE=SIZE, repeatable."),
        .global("repoN-block-age-map", .map, Commands.backup, "block size by file age")
            .hidden().when("repo-block", "y").unsupported().details("DAYS=FACTOR, repeatable."),
        .global("repoN-block-checksum-size-map", .map, Commands.backup, "length of a block's checksum by its size")
            .hidden().when("repo-block", "y").unsupported().details("SIZE=LENGTH, repeatable."),
        .global("repoN-block-size-super", .size(32 * KiB...16 * MiB), default: "256KiB", Commands.backup, "blocks compressed together")
            .hidden().when("repo-block", "y").unsupported().details("In differential and incremental backups."),
        .global(
            "repoN-block-size-super-full", .size(32 * KiB...16 * MiB), default: "1MiB", Commands.backup, "blocks compressed together, full"
        )
        .hidden().when("repo-block", "y").unsupported().details("In full backups."),
    ])

private let count = OptionSpec.Kind.integer(1...9_999_999)

let retentionOptions = OptionSpec.section(
    "Retention",
    [
        .global("repoN-retention-full", count, Commands.retaining, "how many full backups stay")
            .oldNames("retention-full").details("A number, or days with repo-retention-full-type=time. When unset all stay."),
        .global(
            "repoN-retention-full-type", .choice(["count", "time"]), default: "count", Commands.retaining, "what repo-retention-full counts"
        )
        .details("time keeps as many backups as it takes to go back that many days."),
        .global("repoN-retention-diff", count, Commands.retaining, "how many differential backups stay")
            .oldNames("retention-diff").details("When unset they stay as long as their full backup."),
        .global("repoN-retention-archive", count, Commands.retaining, "of how many backups all WAL stays")
            .oldNames("retention-archive")
            .details("Of older ones only the WAL stays that makes them consistent. Follows the backups when unset."),
        .global(
            "repoN-retention-archive-type", .choice(["full", "diff", "incr"]), default: "full", Commands.retaining,
            "backups that count for WAL"
        )
        .oldNames("retention-archive-type").details("Which kinds repo-retention-archive counts."),
        .global("repoN-retention-history", .integer(0...9_999_999), Commands.retaining, "days that the history of backups stays")
            .details("0 keeps only that of backups that are there; when unset all stays."),
        .commandLine("dry-run", .boolean, default: "n", ["expire"], "only tell what would be removed")
            .unsupported().details("Nothing is changed."),
        .commandLine("oldest", .boolean, default: "n", ["expire"], "remove the oldest full backup and what depends on it")
            .unsupported().details("As if one backup less were to stay, this once."),
        .commandLine("archive-expire-before", .string, ["expire"], "remove WAL before this segment")
            .unsupported().details("Unless a backup needs it."),
    ])
