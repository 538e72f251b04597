import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// What a backup copies, and how, is decided from the listing alone.
struct BackupPlanTests {
    private func listing(_ files: [(name: String, size: UInt64)], modified: Int64 = 100) -> ClusterListing {
        var listing = ClusterListing()
        var names = ManifestName.Sharing()
        let attributes = FileAttributes(mode: 0o600, owner: Manifest.Owner())
        listing.files = files.map { ListedFile(name: names.name($0.name), size: $0.size, modified: modified, attributes: attributes) }
        listing.files.sort { $0.name < $1.name }
        return listing
    }

    private func plan(
        _ files: [(name: String, size: UInt64)], _ policy: BackupPolicy = BackupPolicy(), _ version: PostgresVersion = .v15,
        checksums: Bool = true, listed: Int64 = 100
    ) -> BackupPlan {
        BackupPlan(listing(files), policy, version, hasPageChecksums: checksums, listed: listed)
    }

    private func files(_ plan: BackupPlan) -> [PlannedFile] {
        plan.jobs.map { job in
            switch job {
            case .file(let file): file
            }
        }
    }

    @Test func largestFirst() {
        let plan = plan([("pg_data/a", 1), ("pg_data/b", 300), ("pg_data/c", 20), ("pg_data/d", 300)])
        #expect(files(plan).map(\.name.text) == ["pg_data/b", "pg_data/d", "pg_data/c", "pg_data/a"])
        #expect(plan.totalSize == 621 && plan.warnings.isEmpty && !plan.needsDelta)
    }

    /// By repository-format.md section 3.7: what WAL replay brings need not be read beyond the listed size.
    @Test(
        arguments: [
            ("pg_data/base/5/1259", .v15, true), ("pg_data/global/1262", .v15, true), ("pg_data/base/5/x/y", .v15, true),
            ("pg_data/pg_xact/0000", .v15, true), ("pg_data/pg_clog/0000", .v15, false), ("pg_data/pg_clog/0000", .v9_6, true),
            ("pg_data/pg_multixact/offsets/0000", .v15, true), ("pg_tblspc/16400/PG_15_202209061/5/16401", .v15, true),
            ("pg_data/postgresql.conf", .v15, false), ("pg_data/log/server", .v15, false), ("pg_data/basement", .v15, false),
            ("pg_data/PG_VERSION", .v15, false),
        ] as [(String, PostgresVersion, Bool)])
    func cut(_ name: String, _ version: PostgresVersion, _ expected: Bool) {
        #expect(files(plan([(name, 8192)], BackupPolicy(), version)).map(\.isCut) == [expected])
    }

    @Test(
        arguments: [
            // asked for, online, cluster has them: checked, warned
            (nil, true, true, true, false), (nil, false, true, false, false), (nil, true, false, false, false),
            (true, false, true, true, false), (true, true, false, false, true), (false, true, true, false, false),
        ] as [(Bool?, Bool, Bool, Bool, Bool)])
    func pages(_ asked: Bool?, _ online: Bool, _ has: Bool, _ checked: Bool, _ warned: Bool) {
        var policy = BackupPolicy()
        (policy.checksPages, policy.isOnline) = (asked, online)
        let plan = plan([("pg_data/base/5/1259", 8192), ("pg_data/base/5/pg_filenode.map", 512)], policy, checksums: has)
        #expect(plan.checksPages == checked && !plan.warnings.isEmpty == warned)
        #expect(files(plan).map(\.checksPages) == [checked, false])
    }

    @Test func timesInTheFuture() {
        let plan = plan([("pg_data/a", 1)], listed: 99)
        #expect(plan.needsDelta && plan.warnings == ["file 'pg_data/a' has timestamp (100) in the future, enabling delta checksum"])
    }

    @Test func control() {
        let plan = plan([("pg_data/global/pg_control", 8192), ("pg_data/global/1262", 8192)])
        #expect(files(plan).map(\.isControl) == [false, true])
    }
}
