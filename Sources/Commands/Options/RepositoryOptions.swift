// Options of how a repository is laid out (cli.md section 1.3, Repository).

import BackstopCore

enum RepositoryOptions {
    static let bundle = OptionKey<Bool>(
        .global("repoN-bundle", .boolean, default: "n", CommandSets.backup, "store small files together")
            .details("Fewer and larger files, for object stores and clusters with many small tables."))
    static let bundleSize = OptionKey<Int>(
        .global("repoN-bundle-size", .size(MiB...PiB), default: "20MiB", CommandSets.backup, "size at which a bundle is full")
            .when("repo-bundle", "y").details("Before compression."))
    static let bundleLimit = OptionKey<Int>(
        .global("repoN-bundle-limit", .size(8 * KiB...PiB), default: "2MiB", CommandSets.backup, "largest file that goes into a bundle")
            .when("repo-bundle", "y").details("Larger files are stored each for itself."))
    static let block = OptionKey<Bool>(
        .global("repoN-block", .boolean, default: "n", CommandSets.backup, "store only the changed blocks of files")
            .when("repo-bundle", "y", otherwise: "n").details("For large tables of which little changes."))
    static let hardlink = OptionKey<Bool>(
        .global("repoN-hardlink", .boolean, default: "n", CommandSets.backup, "link unchanged files to the previous backup")
            .when("repo-bundle", "n", otherwise: "n").oldNames("hardlink")
            .details("Each backup then looks complete in the folder of the repository."))
    static let symlink = OptionKey<Bool>(
        .global("repoN-symlink", .boolean, default: "y", CommandSets.retaining, "make symbolic links in the repository").details(
            "latest, which points to the newest backup, and those of tablespaces."))
    static let local = OptionKey<Bool>(
        .global("repoN-local", .boolean, default: "n", CommandSets.repository, "take the repository to be on this host")
            .hidden().details("Whatever repo-host says."))
    static let format = OptionKey<String>(
        .commandLine(
            "repoN-format", .choice(["5", "6"]), default: "5", ["stanza-create", "stanza-upgrade"], "format of a stanza that is made"
        )
        .hidden().details("5 is what all versions read and this program writes. 6 is read by this program, and made by pgBackRest 2.60."))
    static let blockSizeMap = OptionKey<[String: String]>(
        .global("repoN-block-size-map", .map, CommandSets.backup, "block size by file size")
            .hidden().when("repo-block", "y").details("SIZE=SIZE, repeatable."))
    static let blockAgeMap = OptionKey<[String: String]>(
        .global("repoN-block-age-map", .map, CommandSets.backup, "block size by file age")
            .hidden().when("repo-block", "y").details("DAYS=FACTOR, repeatable."))
    static let blockChecksumSizeMap = OptionKey<[String: String]>(
        .global("repoN-block-checksum-size-map", .map, CommandSets.backup, "length of a block's checksum by its size")
            .hidden().when("repo-block", "y").details("SIZE=LENGTH, repeatable."))
    static let blockSizeSuper = OptionKey<Int>(
        .global("repoN-block-size-super", .size(32 * KiB...16 * MiB), default: "256KiB", CommandSets.backup, "blocks compressed together")
            .hidden().when("repo-block", "y").details("In differential and incremental backups."))
    static let blockSizeSuperFull = OptionKey<Int>(
        .global(
            "repoN-block-size-super-full", .size(32 * KiB...16 * MiB), default: "1MiB", CommandSets.backup,
            "blocks compressed together, full"
        )
        .hidden().when("repo-block", "y").details("In full backups."))

    static let specs: [OptionSpec] = OptionSpec.section(
        "Repository",
        [
            bundle.spec, bundleSize.spec, bundleLimit.spec, block.spec, hardlink.spec, symlink.spec, local.spec, format.spec,
            blockSizeMap.spec,
            blockAgeMap.spec, blockChecksumSizeMap.spec, blockSizeSuper.spec, blockSizeSuperFull.spec,
        ])
}
