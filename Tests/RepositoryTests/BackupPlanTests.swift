import BackstopCodecs
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
        plan.jobs.flatMap { job in
            switch job {
            case .file(let file): [file]
            case .bundle(_, let files): files
            }
        }
    }

    @Test func largestFirst() {
        let plan = plan([("pg_data/a", 1), ("pg_data/b", 300), ("pg_data/c", 20), ("pg_data/d", 300)])
        #expect(files(plan).map(\.name.text) == ["pg_data/b", "pg_data/d", "pg_data/c", "pg_data/a"])
        #expect(plan.totalSize == 621 && plan.warnings.isEmpty && !plan.isDelta)
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
        #expect(plan.isDelta && plan.warnings == ["file 'pg_data/a' has timestamp (100) in the future, enabling delta checksum"])
    }

    @Test func control() {
        let plan = plan([("pg_data/global/pg_control", 8192), ("pg_data/global/1262", 8192)])
        #expect(files(plan).map(\.isControl) == [false, true])
    }

    // MARK: Onto an earlier backup

    /// That had every file with the size and the time of the listing, but for what `change` does to it.
    private func prior(_ names: [String], _ change: (inout Manifest) -> Void = { _ in }) -> BackupBase {
        var prior = manifest("20261121-033952F_20261121-040000I")
        prior.references = [label("20261121-033952F"), prior.label]
        prior.settings.online = true
        prior.settings.checksumPage = true
        for name in names.sorted() {
            var file = storedFile(name, size: 8192, stored: 100)
            file.timestamp = 100
            file.checksum = SHA1Value(String(repeating: "a", count: 40))
            prior.files.append(file)
        }
        change(&prior)
        return BackupBase(type: .incr, prior: prior)
    }

    /// The plan for these files, each of a page and with time 100.
    private func plan(
        _ names: [String], onto base: BackupBase, _ policy: BackupPolicy = BackupPolicy(), timeline: UInt32? = nil, size: UInt64 = 8192
    ) -> BackupPlan {
        BackupPlan(
            listing(names.map { ($0, size) }), onto: base, policy, .v15, hasPageChecksums: true, listed: 100, timeline: timeline)
    }

    @Test func unchanged() {
        let names = ["pg_data/a", "pg_data/base/5/1", "pg_data/global/pg_control", "pg_data/new"]
        let base = prior(Array(names.dropLast())) { $0.files[1].reference = 0 }
        let plan = plan(names, onto: base)
        #expect(plan.kept.map(\.name.text) == ["pg_data/a", "pg_data/base/5/1"])
        // The index of whatever holds the bytes, which the new references begin with.
        #expect(plan.kept.map(\.reference) == [1, 0])
        #expect(plan.kept.allSatisfy { $0.checksum != nil && $0.repositorySize == 100 && $0.timestamp == 100 })
        // Where recovery begins is the backup's own, and what is new is copied.
        #expect(files(plan).map(\.name.text) == ["pg_data/global/pg_control", "pg_data/new"])
        #expect(files(plan).allSatisfy { $0.base == nil })
        #expect(plan.totalSize == 2 * 8192 && !plan.isDelta && plan.warnings == [])
    }

    /// Whether a file stays, is compared first, is compared when it is small, or is copied (repository-format.md section 3.5).
    @Test(
        arguments: [
            // size and time of the prior, size in the listing, --delta
            (8192, 100, 8192, false, "kept"), (8192, 90, 8192, false, "small"), (8192, 99, 8192, false, "first"),
            (4096, 99, 8192, false, "copied"),
            (8192, 100, 8192, true, "first"), (8192, 99, 8192, true, "first"), (4096, 100, 8192, true, "copied"),
            (0, 99, 0, false, "kept"), (0, 100, 0, true, "kept"), (0, 99, 8192, false, "copied"), (8192, 99, 0, false, "copied"),
        ] as [(UInt64, Int64, UInt64, Bool, String)])
    func fate(_ priorSize: UInt64, _ priorTime: Int64, _ size: UInt64, _ delta: Bool, _ fate: String) {
        var policy = BackupPolicy()
        policy.delta = delta
        let base = prior(["pg_data/a"]) {
            $0.files[0].size = priorSize
            $0.files[0].originalSize = priorSize
            $0.files[0].timestamp = priorTime
        }
        let plan = plan(["pg_data/a"], onto: base, policy, size: size)
        let found = files(plan).first.map { $0.base == nil ? "copied" : $0.base?.comparesFirst == true ? "first" : "small" } ?? "kept"
        #expect(found == fate)
        #expect(plan.kept.count == (fate == "kept" ? 1 : 0))
        #expect(plan.isDelta == delta, "\(plan.warnings)")
    }

    /// A file that was read with another size than it was listed with.
    @Test func sizeOfTheListing() {
        let grown = prior(["pg_data/a"]) { ($0.files[0].size, $0.files[0].originalSize) = (9000, 8192) }
        let plan = plan(["pg_data/a"], onto: grown)
        #expect(!plan.isDelta && files(plan).map { $0.base == nil } == [true])
    }

    @Test(
        arguments: [
            ("timeline", "a timeline switch has occurred since the 20261121-033952F_20261121-040000I backup"),
            ("online", "the online option has changed since"),
            ("earlier", "has timestamp earlier than prior backup (prior 101, current 100)"),
            ("size", "has same timestamp (100) as prior but different size (prior 8191, current 8192)"), ("none", nil),
        ] as [(String, String?)])
    func reasonsForDelta(_ kind: String, _ words: String?) {
        let base = prior(["pg_data/a"]) {
            $0.archiveStop = "0000000100000000000000AB"
            switch kind {
            case "online": $0.settings.online = false
            case "earlier": $0.files[0].timestamp = 101
            case "size": $0.files[0].originalSize = 8191
            default: break
            }
        }
        let plan = plan(["pg_data/a"], onto: base, timeline: kind == "timeline" ? 2 : 1)
        #expect(plan.isDelta == (words != nil) && plan.warnings.count == (words == nil ? 0 : 1))
        if let words { #expect(plan.warnings[0].contains(words) && plan.warnings[0].hasSuffix(", enabling delta checksum")) }
        #expect(plan.kept.isEmpty == (words != nil))
    }

    @Test(
        arguments: [
            // the prior backup, asked for, cluster has them: checked, warned
            (true, nil, true, true, false), (false, nil, true, false, true), (true, false, true, true, true),
            (true, nil, false, false, false), (true, true, false, false, true), (false, false, true, false, false),
        ] as [(Bool, Bool?, Bool, Bool, Bool)])
    func pagesOfTheSet(_ before: Bool, _ asked: Bool?, _ has: Bool, _ checked: Bool, _ warned: Bool) {
        let base = prior(["pg_data/a"]) { $0.settings.checksumPage = before }
        var warnings: [String] = []
        #expect(base.checksPages(asked: asked, online: true, hasPageChecksums: has) { warnings.append($0) } == checked)
        #expect(!warnings.isEmpty == warned, "\(warnings)")
    }

    /// The newest first; of another cluster none.
    @Test func candidates() throws {
        var info = BackupInfo(history: DatabaseHistory(manifest().database), nil)
        for text in ["20261121-000000F", "20261122-000000F", "20261122-000000F_20261123-000000D", "20261122-000000F_20261124-000000I"] {
            var one = manifest(text)
            one.type = one.label.type
            info.add(BackupSummary(one))
        }
        var other = manifest("20261125-000000F")
        other.database.id = 2
        info.add(BackupSummary(other))
        #expect(BackupBase.candidates(.full, info).isEmpty)
        #expect(BackupBase.candidates(.diff, info).map(\.label.text) == ["20261122-000000F", "20261121-000000F"])
        #expect(BackupBase.candidates(.incr, info).first?.label.text == "20261122-000000F_20261124-000000I")
        #expect(BackupBase.candidates(.incr, info).count == 4)
    }

    // MARK: Bundles

    /// Small files come together by the time of their change, tablespaces apart; empty ones are nowhere.
    @Test func bundles() {
        var policy = BackupPolicy()
        policy.bundling = BackupPolicy.Bundling(size: 1000, limit: 500)
        var listing = listing([
            ("pg_data/a", 400), ("pg_data/b", 500), ("pg_data/c", 501), ("pg_data/d", 100), ("pg_data/e", 0), ("pg_data/f", 10),
            ("pg_tblspc/1/PG_15/5/7", 20), ("pg_tblspc/2/PG_15/5/7", 30), ("pg_tblspc/2/PG_15/5/8", 0),
        ])
        // a and f are old, the others not.
        listing.files = listing.files.map { file in
            let isOld = file.name.isEqual(to: "pg_data/a") || file.name.isEqual(to: "pg_data/f")
            return ListedFile(name: file.name, size: file.size, modified: isOld ? 50 : 100, attributes: file.attributes)
        }
        let plan = BackupPlan(listing, policy, .v15, hasPageChecksums: true, listed: 100)
        var bundles: [UInt64: [String]] = [:]
        var whole: [String] = []
        for job in plan.jobs {
            switch job {
            case .file(let file): whole.append(file.name.text)
            case .bundle(let number, let files): bundles[number] = files.map(\.name.text)
            }
        }
        #expect(whole == ["pg_data/c"])
        #expect(
            bundles == [
                1: ["pg_data/f", "pg_data/d", "pg_data/a", "pg_data/b"], 2: ["pg_tblspc/1/PG_15/5/7"], 3: ["pg_tblspc/2/PG_15/5/7"],
            ])
        #expect(plan.kept.map(\.name.text) == ["pg_data/e", "pg_tblspc/2/PG_15/5/8"])
        #expect(plan.kept.allSatisfy { $0.reference == nil && $0.checksum == nil && $0.size == 0 })
        #expect(plan.totalSize == 400 + 500 + 501 + 100 + 10 + 20 + 30)
    }

    /// What did not change stays where it is, in whatever form; what is empty refers to nothing.
    @Test func bundlesOntoAnEarlierBackup() {
        var policy = BackupPolicy()
        policy.bundling = BackupPolicy.Bundling()
        let base = prior(["pg_data/a", "pg_data/b"]) {
            $0.files[0].bundle = 3
            $0.files[0].bundleOffset = 77
            ($0.files[1].size, $0.files[1].originalSize) = (0, 0)
        }
        let kept = BackupPlan(
            listing([("pg_data/a", 8192), ("pg_data/b", 0)]), onto: base, policy, .v15, hasPageChecksums: true, listed: 100
        ).kept
        #expect(kept.map(\.reference) == [1, nil] && kept.map(\.bundle) == [3, nil] && kept[0].bundleOffset == 77)
    }

    // MARK: Going on

    /// What an unfinished run stored is looked at, also where bundles would be made; whatever changed since is copied.
    @Test func resumed() {
        var policy = BackupPolicy()
        policy.bundling = BackupPolicy.Bundling()
        func stored(_ name: String, size: UInt64 = 8192, time: Int64 = 100) -> StoredFile {
            var file = storedFile(name, size: size, stored: 100)
            file.timestamp = time
            file.checksum = SHA1Value(String(repeating: "b", count: 40))
            return file
        }
        let files = [
            stored("pg_data/changed", time: 90), stored("pg_data/cut", size: 8191), stored("pg_data/gone"),
            stored("pg_data/global/pg_control"), stored("pg_data/same"),
        ]
        let names = ["pg_data/changed", "pg_data/cut", "pg_data/global/pg_control", "pg_data/new", "pg_data/same"]
        for compares in [false, true] {
            let plan = BackupPlan(
                listing(names.map { ($0, 8192) }), policy, .v15, hasPageChecksums: true, listed: 100, resumed: files,
                comparesResumed: compares)
            // With checksums to go by the time is nothing.
            #expect(plan.resumed.keys.map(\.text).sorted() == (compares ? ["pg_data/changed", "pg_data/same"] : ["pg_data/same"]))
            for case .file(let file) in plan.jobs {
                #expect(file.base?.isResumed == true && file.base?.comparesFirst == compares && file.base?.file.reference == nil)
            }
            #expect(plan.resumed.values.allSatisfy { $0.checksum != nil && $0.repositorySize == 100 })
        }
    }

    /// What would be stored in another form now, and pages at which nobody has looked, are no reason to skip a file.
    @Test func resumedInItsForm() {
        func plan(_ name: String, blocks: Bool, _ change: (inout StoredFile) -> Void) -> Int {
            var policy = BackupPolicy()
            (policy.bundling, policy.blocks) = (BackupPolicy.Bundling(limit: 1), blocks ? BlockRules() : nil)
            var file = storedFile(name, size: 32_768, stored: 100)
            file.timestamp = 100
            file.checksum = SHA1Value(String(repeating: "b", count: 40))
            change(&file)
            return BackupPlan(listing([(name, 32_768)]), policy, .v15, hasPageChecksums: true, listed: 100, start: 100, resumed: [file])
                .resumed.count
        }
        let map = { (file: inout StoredFile) in (file.blockSize, file.blockMapSize) = (8192, 20) }
        #expect(plan("pg_data/a", blocks: false) { _ in } == 1 && plan("pg_data/a", blocks: true, map) == 1)
        #expect(plan("pg_data/a", blocks: true) { _ in } == 0 && plan("pg_data/a", blocks: false, map) == 0)
        #expect(plan("pg_data/base/5/1259", blocks: false) { _ in } == 0)
        #expect(plan("pg_data/base/5/1259", blocks: false) { $0.pagesValid = true } == 1)
    }

    @Test(
        arguments: [
            ("", nil), ("type", "its type is incr"), ("prior", "it is made onto"), ("cluster", "it is of another cluster"),
            ("codec", "its compress-type is zst"), ("online", "one of them is online"), ("later", "was made after it"),
            ("nothing", "it had stored nothing"), ("unknown cluster", nil),
            ("format", "new repository format 5 does not match resumable repository format 6"),
        ] as [(String, String?)])
    func objections(_ kind: String, _ words: String?) throws {
        var unfinished = manifest("20261121-033952F")
        unfinished.references = [unfinished.label]
        var file = storedFile("pg_data/a", size: 1, stored: 1)
        file.checksum = SHA1Value(String(repeating: "b", count: 40))
        unfinished.files = [file]
        unfinished.settings.online = true
        switch kind {
        case "format": unfinished.format = 6
        case "type": unfinished.type = .incr
        case "prior": unfinished.prior = label("20261120-000000F")
        case "cluster": unfinished.database.identity = ClusterIdentity(systemID: 2, version: .v15)
        case "unknown cluster": unfinished.database.identity = ClusterIdentity(systemID: 0, version: .v15)
        case "codec": unfinished.settings.compressType = "zst"
        case "online": unfinished.settings.online = false
        case "nothing": unfinished.files[0].checksum = nil
        default: break
        }
        var registry = Registry()
        registerBuiltinCodecs(in: &registry)
        let objection = Resumable.objection(
            to: unfinished, BackupBase(type: .full, prior: nil), ObjectCoding(try registry.codec("none"), nil),
            BackupInfo(history: DatabaseHistory(manifest().database), nil), isOnline: true,
            listed: kind == "later" ? [label("20261122-000000F")] : [label("20261101-000000F")])
        #expect(words == nil ? objection == nil : objection?.contains(words ?? "") == true, "\(objection ?? "none")")
    }
}
