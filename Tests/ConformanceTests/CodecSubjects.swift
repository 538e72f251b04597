// The codecs, ciphers and checksums that the checks are run on: a line for each.

import BackstopCodecs
import BackstopConformance
import BackstopCore
import Glibc

let registry: Registry = {
    var registry = Registry()
    registerBuiltinCodecs(in: &registry)
    return registry
}()

/// Of the check value in repository-format.md section 8.1.
let passphrase = "eT5MYEG2UsrPyLnhUXCa6ilyUl9QcYS/HSzGMMAVP/GBUz3i/JtuSWZ45gaQjb0T"
let fox = Array("The quick brown fox jumps over the lazy dog".utf8)

private let foxSalt = "ce04215840dc98ca"
// By `openssl enc -aes-256-cbc -K … -iv …` with the key and iv of the check value.
private let foxEncrypted = "6342bc3232636776ef2a77da9235a1b98174bec1739386604488f7bbf5f42b4a838cd1dcc6385ed5ece004a3468fb62d"
private let nothingEncrypted = "6d0848dc97cb81ac62024734d5505cd8"
private let salted = hexadecimal("Salted__".utf8)

func codec(
    _ name: String, _ framing: Framing, _ format: CodecSubject.Format, header: String = "", fox encoded: String
) throws -> CodecSubject {
    let driver = try registry.codec(name)
    var subject = CodecSubject(name: "\(name) \(framing)", codec: try driver.open(driver.defaultLevel, framing), format: format)
    subject.header = bytes(header)
    subject.knownAnswers = [(bytes(encoded), fox)]
    return subject
}

func cipher(_ framing: Framing, passphrase text: String = passphrase) throws -> CodecSubject {
    let codec = try registry.cipher("aes-256-cbc").open(CipherKeys(passphrase: text), framing)
    var subject = CodecSubject(name: "aes-256-cbc \(framing)", codec: codec, format: .padded)
    let magic = framing == .normal ? salted : ""
    subject.randomised = true
    subject.header = bytes(magic)
    subject.knownAnswers = [(bytes(magic + foxSalt + foxEncrypted), fox), (bytes(magic + foxSalt + nothingEncrypted), [])]
    subject.refused = [
        ("an empty file", [], .crypto),
        ("a header alone", bytes(magic + foxSalt), .crypto),
        // Made with another passphrase; its padding is wrong with this one.
        ("a wrong passphrase", bytes(magic + "0102030405060708" + foxEncrypted), .crypto),
    ]
    if framing == .normal {
        subject.refused += [
            ("a stream without the magic", bytes(foxSalt + foxEncrypted), .crypto),
            ("a plain text", Array("[backrest]\nbackrest-format=5\n".utf8), .crypto),
            ("a short plain text", Array("15\n".utf8), .crypto),
        ]
    }
    return subject
}

let codecSubjects: [CodecSubject] = try! [
    codec("none", .normal, .plain, fox: hexadecimal(fox)),
    codec("none", .raw, .plain, fox: hexadecimal(fox)),
    codec(
        "gz", .normal, .marked(several: false), header: "1f8b0800000000000003",
        fox: "1f8b08000000000000030bc94855282ccd4cce56482aca2fcf5348cbaf50c82acd2d2856c82f4b2d5228014ae72456552aa4e4a7030039a34f41"
            + "2b000000"),
    codec(
        "gz", .raw, .marked(several: false), header: "789c",
        fox: "789c0bc94855282ccd4cce56482aca2fcf5348cbaf50c82acd2d2856c82f4b2d5228014ae72456552aa4e4a703005bdc0fda"),
    codec("lz4", .normal, .marked(several: true), header: "04224d1844405e", fox: lz4Fox),
    codec("lz4", .raw, .marked(several: true), header: "04224d184040c0", fox: lz4Fox),
    codec("zst", .normal, .marked(several: true), header: "28b52ffd00", fox: zstFox),
    codec("zst", .raw, .marked(several: true), header: "28b52ffd00", fox: zstFox),
    codec("bz2", .normal, .marked(several: false), header: "425a6839", fox: bz2Fox),
    codec("bz2", .raw, .marked(several: false), header: "425a6839", fox: bz2Fox),
    cipher(.normal),
    cipher(.raw),
    filter(),
]

/// Two programs, one for each way.
func filter() throws -> CodecSubject {
    // Programs that end early close the pipe while they are written to; the program ignores that signal at its start.
    signal(SIGPIPE, SIG_IGN)
    let driver = filterCodec("xz", ["xz", "-T1", "-c"], ["xz", "-dc"])
    var subject = CodecSubject(name: "filter xz", codec: try driver.open(0, .normal), format: .marked(several: true))
    subject.header = bytes("fd377a585a00")
    subject.knownAnswers = [(bytes(xzFox), fox)]
    subject.allowsPadding = true
    return subject
}

// Whatever a frame has (independent blocks, checksums, sizes), its tool's other settings are read too.
private let lz4Fox =
    "04224d186440a72b00008054686520717569636b2062726f776e20666f78206a756d7073206f76657220746865206c617a7920646f6700000000dea45ee8"
private let zstFox =
    "28b52ffd242b59010054686520717569636b2062726f776e20666f78206a756d7073206f76657220746865206c617a7920646f67bc71da1f"
private let xzFox =
    "fd377a585a000004e6d6b4460200210116000000742fe5a301002a54686520717569636b2062726f776e20666f78206a756d7073206f76657220746865206c61"
    + "7a7920646f670000c4a14ae5c2b85e5b0001432bad506e571fb6f37d010000000004595a"
private let bz2Fox =
    "425a6839314159265359459dee610000041380400004003ffffff0200031468680000031e9a9a64c8611b46d4762620849ed7aa1536565b125e3e260b1f89839"
    + "dd4c096f9ce85dc914e142411677b984"

let chainSubjects: [ChainSubject] = try! [
    chain(["gz"], .normal), chain(["zst"], .normal), chain(["lz4", "aes-256-cbc"], .normal), chain(["gz", "aes-256-cbc"], .raw),
    chain(["zst", "aes-256-cbc"], .normal), chain(["zst", "aes-256-cbc"], .raw), chain(["bz2", "aes-256-cbc"], .normal),
    chain(["none", "lz4", "none"], .normal),
]

func chain(_ names: [String], _ framing: Framing) throws -> ChainSubject {
    let codecs = try names.map { name in
        if let driver = registry.codecs[name] { return try driver.open(driver.defaultLevel, framing) }
        return try registry.cipher(name).open(CipherKeys(passphrase: passphrase), framing)
    }
    return ChainSubject(name: names.joined(separator: " > ") + " \(framing)", codecs: codecs)
}

let codecDriverSubjects: [CodecDriver] = registry.codecs.values.sorted { $0.name < $1.name }

let checksumSubjects: [ChecksumSubject] = try! [
    checksum(
        "sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709", "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
        "34aa973cd4c4daa4f61eeb2bdbad27316534016f"),
    checksum(
        "sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592",
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    checksum(
        "sha512",
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
        "07e547d9586f6a73f73fbac0435ed76951218fb7d0c8d788a309d785436bbb642e93a252a954f23912547d1e8a3b5ed6e1bfd7097821233fa0538f3db854fee6",
        "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b"),
]

/// Digests of nothing, of the fox, and of a million times the letter a.
func checksum(_ name: String, _ nothing: String, _ ofFox: String, _ million: String) throws -> ChecksumSubject {
    ChecksumSubject(
        name: name, provider: try registry.checksum(name),
        knownAnswers: [([], nothing), (fox, ofFox), ([UInt8](repeating: 0x61, count: 1_000_000), million)])
}

func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = Array(hexadecimal)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16)! }
}
