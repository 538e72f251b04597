import BackstopDrivers
import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// What becomes of a folder without a manifest.
struct LeftoverTests {
    @Test(
        arguments: [
            (false, false, nil, .remove), (false, false, 1_000, .keepRecent(seconds: 3_599)), (false, false, 999, .remove),
            (false, true, 4_599, .remove), (true, true, 4_599, .keepComplete), (true, false, nil, .keepComplete),
            (false, false, 9_999, .keepRecent(seconds: 0)),
        ] as [(Bool, Bool, Int64?, Leftover.Verdict)])
    func verdict(_ wasComplete: Bool, _ isAbandoned: Bool, _ newest: Int64?, _ verdict: Leftover.Verdict) {
        let leftover = Leftover(label: label("20261121-033952F"), wasComplete: wasComplete, isAbandoned: isAbandoned, newest: newest)
        #expect(leftover.verdict(now: 4_599) == verdict)
    }
}

/// The proof of what is stored.
struct BackupProofTests {
    private func made() -> Manifest {
        var manifest = manifest("20261126-101010F_20261126-111111I")
        manifest.references = [label("20261126-101010F"), manifest.label]
        func file(_ name: String, _ stored: UInt64, _ change: (inout StoredFile) -> Void = { _ in }) {
            var file = storedFile(name, size: 9, stored: stored)
            change(&file)
            manifest.files.append(file)
        }
        file("pg_data/a", 5)
        file("pg_data/b", 0)
        file("pg_data/old", 7) { $0.reference = 0 }
        file("pg_data/blocks", 8) { $0.blockMapSize = 3 }
        file("pg_data/c", 4) { ($0.bundle, $0.bundleOffset) = (1, 0) }
        file("pg_data/d", 6) { ($0.bundle, $0.bundleOffset) = (1, 4) }
        manifest.sort()
        return manifest
    }

    private func faults(_ stored: [Key: UInt64]) -> [String] {
        var proof = BackupProof(made(), Layout(stanza: "demo"), suffix: ".zst")
        for (key, size) in stored { proof.see(key, size) }
        return proof.faults
    }

    @Test func faults() {
        let folder = "backup/demo/20261126-101010F_20261126-111111I"
        let right: [Key: UInt64] = [
            Key("\(folder)/pg_data/a.zst"): 5, Key("\(folder)/pg_data/b.zst"): 0, Key("\(folder)/pg_data/blocks.pgbi"): 8,
            Key("\(folder)/bundle/1"): 10,
        ]
        #expect(faults(right) == [])
        #expect(faults(right.merging([Key("\(folder)/backup.manifest.copy"): 3]) { $1 }) == [])
        for key in right.keys {
            var wrong = right
            wrong[key] = nil
            #expect(faults(wrong) == ["'\(key)' is missing"])
            wrong[key] = 99
            #expect(faults(wrong) == ["'\(key)' has 99 bytes, \(right[key]!) were stored"])
        }
        #expect(faults([:]).count == 4)
    }
}

/// What was mended at the begin is mended in the list as it is at the end.
struct ListRepairTests {
    @Test func apply() {
        func summary(_ text: String) -> BackupSummary { BackupSummary(label: label(text), object: ["backup-type": .string("full")]) }
        var info = BackupInfo(history: DatabaseHistory(.init(id: 1, identity: ClusterIdentity(systemID: 1, version: .v15))), nil)
        for label in ["20260101-000000F", "20260102-000000F", "20260105-000000F"] { info.add(summary(label)) }
        ListRepair(
            added: [summary("20260103-000000F"), summary("20260105-000000F")],
            removed: [label("20260102-000000F"), label("20250101-000000F")]
        )
        .apply(to: &info)
        #expect(info.backups.map(\.label.text) == ["20260101-000000F", "20260103-000000F", "20260105-000000F"])
    }

    /// A backup that was found without being listed, and was removed since, does not come back as an entry of nothing.
    @Test func foundAndRemovedSince() async throws {
        let storage = MemoryStorage()
        let repository = StanzaRepository(Repository(index: 1, storage: storage, registry: Registry(), seal: nil), "demo", Log())
        let found = ["20260103-000000F", "20260104-000000F"].map { BackupSummary(label: label($0), object: [:]) }
        try await storage.put(repository.layout.manifest(found[1].label), bytes: [1])
        let repair = try await ListRepair(added: found, removed: [label("20260102-000000F")]).still(in: repository)
        #expect(repair.added.map(\.label.text) == ["20260104-000000F"] && repair.removed.count == 1)
    }
}
