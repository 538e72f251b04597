// A golden repository in a folder of its own, opened.

import BackstopCodecs
import BackstopDrivers
import EndToEndSupport

@testable import BackstopCommands
@testable import BackstopCore

struct GoldenRepository {
    let folder: TemporaryFolder
    let stanza: StanzaRepository

    /// `passphrase`: nil when it is not encrypted.
    init(_ name: String, index: Int = 1, passphrase: String? = "golden-pass") throws {
        folder = try TemporaryFolder()
        // By whoever runs the tests, who changes it then.
        try run(["tar", "xJf", "\(Checkout.golden)/\(name)/repo.tar.xz", "--no-same-owner", "-C", folder.path], asRoot: true)
        let registry = try Golden.registry()
        let storage = PosixStorage(root: folder.path, modes: .init(file: 0o640, folder: 0o750))
        let seal = try passphrase.map { try Seal(Encryption(cipher: "aes-256-cbc", passphrase: $0), registry) }
        stanza = StanzaRepository(Repository(index: index, storage: storage, registry: registry, seal: seal), "demo", Log())
    }

    /// Names and sha1 of all that it holds.
    func sums() throws -> String {
        try run(["sh", "-c", "find archive backup -type f -print0 | sort -z | xargs -0 sha1sum"], in: folder.path, asRoot: true).output
    }
}
