// Options of compression and encryption (cli.md section 1.3, Codec and Encryption).

import BackstopCore

enum CodecOptions {
    static let compressType = OptionKey<String>(
        .global(
            "compress-type", .choice(["none", "bz2", "gz", "lz4", "zst"]), default: "gz", CommandSets.compressing,
            "how files are compressed"
        )
        .details("zst is faster than gz and smaller. What is there already stays readable whatever is chosen."))
    static let compressLevel = OptionKey<Int?>(
        .global("compress-level", .integer(-7...22), CommandSets.compressing, "how hard files are compressed")
            .when("compress-type", "bz2", "gz", "lz4", "zst", otherwise: "0")
            .defaultsByDependency(["bz2": "9", "gz": "6", "lz4": "1", "zst": "3"])
            .rangesByDependency(["bz2": 1...9, "gz": -1...9, "lz4": -5...12, "zst": -7...22])
            .details("Higher is smaller and slower."))
    static let compressLevelNetwork = OptionKey<Int>(
        .global("compress-level-network", .integer(-5...12), default: "1", CommandSets.repository, "how hard data is compressed on its way")
            .details("Only of a cluster on another host that is backed up without compression, with lz4. 0: not at all."))
    static let compress = OptionKey<Bool>(
        .global("compress", .boolean, default: "y", CommandSets.compressing, "compress files")
            .details("Old: compress-type=none says the same as n."))
    static let cipherType = OptionKey<String>(
        .global(
            "repoN-cipher-type", .choice(["none", "aes-256-cbc"]), default: "none", CommandSets.repository,
            "how the repository is encrypted"
        )
        .oldNames("repo-cipher-type").details(
            "Fixed when the stanza is made. Data is encrypted where the command runs, before it goes to the repository."))
    static let cipherPass = OptionKey<String?>(
        .global("repoN-cipher-pass", .string, CommandSets.repository, "passphrase of the repository")
            .secret().when("repo-cipher-type", "aes-256-cbc").required().oldNames("repo-cipher-pass")
            .details("Nobody can read the repository without it: keep a copy elsewhere."))
    static let cipherRotate = OptionKey<Duration>(
        .global(
            "repoN-cipher-rotate", .time(15 * day...9_999_999 * day), default: "90d", CommandSets.retaining,
            "how long a key of the WAL archive is used"
        )
        .hidden().when("repo-cipher-type", "aes-256-cbc")
        .details("Only of stanzas in repository format 6, which this program does not write: elsewhere it has no effect, with a warning."))

    static let specs: [OptionSpec] =
        OptionSpec.section(
            "Compression",
            [compressType.spec, compressLevel.spec, compressLevelNetwork.spec, compress.spec])
        + OptionSpec.section(
            "Encryption",
            [cipherType.spec, cipherPass.spec, cipherRotate.spec])
}
