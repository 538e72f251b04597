// How bytes are stored: compressed, then encrypted; and back, chosen from what was stored.

import BackstopCore

/// Compression and encryption of what is written.
struct Encoding: Sendable {
    let codec: CodecDriver
    let level: Int
    let cipher: CipherDriver?
    let passphrase: String?

    /// From `compress-type` and `compress-level`.
    init(_ options: Options, _ repository: Repository, passphrase: String?) throws(BackupError) {
        codec = try repository.registry.codec(options.string("compress-type") ?? "gz")
        level = options.number("compress-level").map(Int.init) ?? codec.defaultLevel
        cipher = repository.cipher
        self.passphrase = passphrase
    }

    init(codec: CodecDriver, level: Int, cipher: CipherDriver?, passphrase: String?) {
        self.codec = codec
        self.level = level
        self.cipher = cipher
        self.passphrase = passphrase
    }

    /// Whether the stored form differs from the content.
    var changesBytes: Bool { codec.name != "none" || cipher != nil }

    func steps() throws(BackupError) -> [Step] { try compression() + encryption() }

    func compression() throws(BackupError) -> [Step] {
        codec.name == "none" ? [] : [.transform(try codec.open(level, .normal).encoder())]
    }

    func encryption() throws(BackupError) -> [Step] {
        guard let cipher, let passphrase else { return [] }
        return [.transform(try cipher.open(passphrase, .normal).encoder())]
    }
}

/// The way back.
struct Decoding: Sendable {
    let codec: CodecDriver
    let cipher: CipherDriver?
    let passphrase: String?

    func steps(_ framing: Framing) throws(BackupError) -> [Step] {
        var steps: [Step] = []
        if let cipher, let passphrase { steps.append(.transform(try cipher.open(passphrase, framing).decoder())) }
        if codec.name != "none" { steps.append(.transform(try codec.open(codec.defaultLevel, framing).decoder())) }
        return steps
    }

    /// The codec whose suffix ends `name`; none for a name without one. Throws for a codec that is not allowed here.
    static func codec(ofFile name: some StringProtocol, _ registry: Registry) throws(BackupError) -> CodecDriver {
        for codec in registry.codecs.values where !codec.suffix.isEmpty && name.hasSuffix(codec.suffix) { return codec }
        for (suffix, codec) in Layout.codecs where name.hasSuffix(suffix) { return try registry.codec(codec) }
        return try registry.codec("none")
    }
}
