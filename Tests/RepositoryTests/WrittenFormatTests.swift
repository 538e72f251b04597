import BackstopCodecs
import EndToEndSupport
import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// Nothing is written into a stanza of format 6: an object with a header of format 5 there may never be read again.
struct WrittenFormatTests {
    private static let names = ["format6-none", "format6-gz-cipher", "format6-upgraded-cipher"]

    private func open(_ name: String, index: Int = 1) throws -> GoldenRepository {
        try GoldenRepository(name, index: index, passphrase: name.hasSuffix("cipher") ? "golden-pass" : nil)
    }

    private func expectRefusal(_ error: BackupError?) {
        #expect(error?.code == .format && error?.message.contains("repository format 6") == true, "\(error?.message ?? "none")")
        #expect(error?.hint?.contains("pgBackRest 2.60") == true || error?.message.contains("pgBackRest 2.60") == true)
    }

    /// Whoever forgets to ask is stopped where it would be written.
    @Test(arguments: names)
    func files(_ name: String) async throws {
        let golden = try open(name)
        let before = try golden.sums()
        let (archive, info) = (try await golden.stanza.archiveInfo(), try await golden.stanza.backupInfo())
        let manifest = try await golden.stanza.manifest(try #require(info.backups.last?.label), info.seal)
        expectRefusal(await #expect(throws: BackupError.self) { try await golden.stanza.save(archive) })
        expectRefusal(await #expect(throws: BackupError.self) { try await golden.stanza.save(info) })
        expectRefusal(await #expect(throws: BackupError.self) { try await golden.stanza.save(manifest, info.seal) })
        expectRefusal(await #expect(throws: BackupError.self) { try await golden.stanza.saveUnfinished(manifest, info.seal) })
        for seal in [archive.seal, info.seal, manifest.seal].compactMap({ $0 }) {
            for framing in [Framing.normal, .raw] {
                expectRefusal(#expect(throws: BackupError.self) { try seal.encoder(framing) })
                _ = try seal.decoder(framing)
            }
        }
        #expect(try golden.sums() == before)
    }

    /// The repository that is refused is one that failed: the others get the file.
    @Test(arguments: names)
    func push(_ name: String) async throws {
        let golden = try open(name)
        let alone = ArchiveTargets(repositories: [golden.stanza], failures: [], control: nil)
        expectRefusal(await #expect(throws: BackupError.self) { _ = try await alone.usable(for: "00000002.history") })
        let other = try open("tiny-none", index: 2)
        let both = try await ArchiveTargets(repositories: [golden.stanza, other.stanza], failures: [], control: nil).usable(
            for: "00000002.history")
        #expect(both.targets.map(\.repository.index) == [2])
        #expect(both.failures.count == 1 && both.failures[0].hasPrefix("repo1: ") && both.failures[0].contains("repository format 6"))
        // With another failure it is not the format alone.
        let error = await #expect(throws: BackupError.self) {
            _ = try await ArchiveTargets(repositories: [golden.stanza], failures: ["repo2: gone"], control: nil).usable(for: "x")
        }
        #expect(error?.code == .repoInvalid)
    }

    @Test(
        arguments: [
            ("format6-none", 29), ("format6-rotated-cipher", 29), ("format6-interrupted-cipher", 28), ("tiny-bz2-cipher", nil),
        ] as [(String, Int32?)])
    func both(_ name: String, _ status: Int32?) async throws {
        let golden = try open(name)
        let (archive, backup) = (try await golden.stanza.archiveInfo(), try await golden.stanza.backupInfo())
        do {
            try golden.stanza.requireWritten(archive, backup)
            #expect(status == nil)
        } catch {
            #expect(error.code.exitStatus == status)
            guard status == 28 else { return expectRefusal(error) }
            #expect(
                error.message == "repo1: backup info file and archive info file are at different repository formats"
                    + "\narchive: format = 6\nbackup : format = 5")
            #expect(error.hint?.hasPrefix("run stanza-upgrade with --repo1-format=6 to complete an interrupted upgrade.") == true)
        }
    }
}
