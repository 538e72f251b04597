import EndToEndSupport
import Foundation
import Testing

/// Archives in part unreadable and pushes that end early: recovery gets what any repository has, and a segment that was reported as
/// archived survives.
@Suite(.servers)
struct ArchiveFailureTests {
    /// Two repositories of which the first has a damaged segment.
    struct Pair: Sendable, CustomStringConvertible {
        enum Damage { case noRights, shortened, overwritten }
        let first: RepositoryKind, second: RepositoryKind
        let damage: Damage
        var description: String { "\(damage) on \(first), good on \(second)" }

        static let all =
            [.noRights, .shortened, .overwritten].map { Pair(first: .posix, second: .posix, damage: $0) }
            // A host that pulls is configured as the host of the first repository only.
            + Feature.secondRepository.others.filter { !$0.isPulled }.map { Pair(first: .posix, second: $0, damage: .shortened) }
            + Feature.secondRepository.others.map { Pair(first: $0, second: .posix, damage: .overwritten) }
    }

    /// What one repository cannot give, the next one does.
    @Test(arguments: Pair.all)
    func secondRepositoryHelps(_ pair: Pair) throws {
        let (bench, names) = try Segments.workbench(on: pair.first, and: pair.second)
        #expect(try bench.push(names[0]).status == 0)
        let segment = try bench.stored(names[0])
        #expect(try bench.secondFiles.contains(segment))
        switch pair.damage {
        case .noRights: try run(["chmod", "000", "\(bench.repository)/\(segment)"])
        case .shortened: try bench.files.change(segment) { $0 = $0.prefix(1000) }
        case .overwritten: try bench.files.damage(segment, at: 2000)
        }
        let outcome = try bench.attempt("archive-get", names[0], bench.folder.path("got"), in: bench.data)
        #expect(outcome.status == 0, "\(outcome)")
        #expect(outcome.text.contains("repo1"), "\(outcome)")
        #expect(try bench.isSame(names[0], as: bench.folder.path("got")))
        // Without the good one it is an error, never the end of the archive.
        try bench.secondFiles.remove(segment)
        try run(["rm", bench.folder.path("got")])
        let alone = try bench.attempt("archive-get", names[0], bench.folder.path("got"), in: bench.data)
        #expect(alone.status == 200, "\(alone)")
        #expect(alone.text.contains(names[0]), "\(alone)")
        #expect(try attempt(["test", "-e", bench.folder.path("got")]).status == 1)
    }

    /// A segment that is there but may not be decoded is no missing segment.
    @Test func codecIsNotAllowed() throws {
        let (bench, names) = try Segments.workbench(Format(.gz))
        #expect(try bench.push(names[0]).status == 0)
        let plugins = try bench.folder.write(
            "plugins.conf",
            "[storage]\nposix = builtin\n[codec]\nnone = builtin\nzst = builtin\n[cipher]\naes-256-cbc = builtin\n[checksum]\nsha1 = builtin\n"
        )
        try bench.configure(["compress-type": "zst"])
        for name in names.prefix(2) {
            let outcome = try bench.attempt("--plugins=\(plugins)", "archive-get", name, bench.folder.path("got"), in: bench.data)
            if name == names[0] {
                #expect(outcome.status == 200, "\(outcome)")
                #expect(outcome.text.contains("gz"), "\(outcome)")
            } else {
                #expect(outcome.status == 1, "\(outcome)")
            }
        }
        // Nor is it pushed a second time in another form.
        let again = try bench.attempt("--plugins=\(plugins)", "archive-push", "pg_wal/\(names[0])", in: bench.data)
        #expect(again.status == 0, "\(again)")
        #expect(try bench.archived().filter { $0.hasPrefix(names[0]) }.count == 1)
        #expect(try bench.info().archive.first?.max == names[0])

        // What needs no codec does not miss it.
        try bench.configure(["compress-type": "gz"])
        try run(["sh", "-c", "printf '1\\t0/3000000\\tno recovery target specified\\n' >\"$0\"", "\(bench.data)/pg_wal/00000002.history"])
        for name in ["00000002.history", names[0], names[1]] {
            let push = try bench.attempt("--plugins=\(plugins)", "archive-push", "pg_wal/\(name)", in: bench.data)
            if name == names[1] {
                #expect(push.status == 104 && push.text.contains("repo1: ") && push.text.contains("there is no codec 'gz' here"), "\(push)")
            } else {
                #expect(push.status == 0, "\(name): \(push)")
            }
        }
    }

    /// A host whose libcrypto does not offer sha1, for which it is enough to ask for validated algorithms only.
    @Test func digestIsSwitchedOff() throws {
        let (bench, names) = try Segments.workbench()
        let settings = try bench.folder.write(
            "openssl.cnf", "openssl_conf = init\n[init]\nalg_section = evp\n[evp]\ndefault_properties = fips=yes\n")
        let outcome = try attempt(
            bench.command(["archive-push", "pg_wal/\(names[0])"]), environment: ["OPENSSL_CONF": settings], in: bench.data)
        #expect(outcome.status == 67, "\(outcome)")
        #expect(outcome.text.contains("libcrypto of this host has no SHA1"), "\(outcome)")
        #expect(try bench.push(names[0]).status == 0)
    }

    /// A run that was killed after its rename has not made the name durable; the repeat does, before it says that the segment is there.
    @Test func presentSegmentIsSynced() throws {
        let (bench, names) = try Segments.workbench()
        #expect(try bench.push(names[0]).status == 0)
        let folder = URL(fileURLWithPath: "\(bench.repository)/\(try bench.stored(names[0]))").deletingLastPathComponent()
        let trace = bench.folder.path("trace")
        let outcome = try attempt(
            ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync,syncfs", "-o", trace]
                + bench.command(["archive-push", "pg_wal/\(names[0])"]),
            in: bench.data)
        #expect(outcome.status == 0, "\(outcome)")
        let calls = try String(contentsOfFile: trace, encoding: .utf8)
        // The folder of the segment, and those above whose names the first run made.
        for path in [folder, folder.deletingLastPathComponent(), folder.deletingLastPathComponent().deletingLastPathComponent()] {
            #expect(calls.contains("<\(path.path)>) = 0"), "\(path.path)\n\(calls)")
        }
    }

    @Test func newSegmentIsSynced() throws {
        let (bench, names) = try Segments.workbench()
        let trace = bench.folder.path("trace")
        let outcome = try attempt(
            ["strace", "-f", "-y", "-e", "trace=fsync,rename,renameat,renameat2", "-o", trace]
                + bench.command(["archive-push", "pg_wal/\(names[0])"]),
            in: bench.data)
        #expect(outcome.status == 0, "\(outcome)")
        let calls = try String(contentsOfFile: trace, encoding: .utf8).components(separatedBy: "\n")
        let segment = URL(fileURLWithPath: "\(bench.repository)/\(try bench.stored(names[0]))")
        let content = try #require(calls.firstIndex { $0.contains("fsync(") && $0.contains(names[0]) }, "\(calls)")
        let renamed = try #require(calls.firstIndex { $0.contains("rename") && $0.contains(segment.lastPathComponent) }, "\(calls)")
        let folder = try #require(calls.lastIndex { $0.contains("<\(segment.deletingLastPathComponent().path)>) = 0") }, "\(calls)")
        #expect(content < renamed && renamed < folder, "\(calls)")
    }

    /// What a killed run leaves is taken over by its repeat.
    @Test(arguments: [41, 42] as [UInt64])
    func nothingTemporaryStays(_ seed: UInt64) throws {
        let (bench, names) = try Segments.workbench(Format(.bz2))
        var random = Seeded(seed)
        func temporary() throws -> [String] { try bench.files.unfinished("archive") }
        var left = 0
        for (index, name) in names.prefix(4).enumerated() {
            let running = try Running(bench.command(["archive-push", "pg_wal/\(name)"]), in: bench.data)
            // Half of them are killed while the temporary file is there, half at any moment.
            let moment = Double.random(in: 0...0.2, using: &random)
            let start = ContinuousClock.now
            while running.poll() == nil {
                if index % 2 == 0 ? try !temporary().isEmpty : start.duration(to: .now) > .seconds(moment) { break }
            }
            running.signal(9)
            _ = try running.wait()
            left += try temporary().count
            let repeated = try bench.push(name)
            #expect(repeated.status == 0, "\(repeated)")
            #expect(try temporary().isEmpty)
            let got = try #require(try bench.get(name))
            #expect(try bench.isSame(name, as: got))
        }
        #expect(left > 0)
    }

    /// PostgreSQL that is stopped wants its archiver to end: status 63, so that the segment is kept and pushed again.
    @Test(arguments: [2, 15] as [Int32], Feature.pushIsTerminated.kinds)
    func terminate(_ signal: Int32, _ kind: RepositoryKind) throws {
        let (bench, names) = try Segments.workbench(Format(.bz2), on: kind)
        // A segment that takes a while: one of 64 MiB, which its header and its place say.
        let script = """
            head -c 64M /dev/urandom >large
            dd if="$0" of=large bs=40 count=1 conv=notrunc
            for place in 8 32; do printf '\\000\\000\\000\\004' | dd of=large bs=1 seek=$place conv=notrunc; done
            chmod 600 large
            mv large pg_wal/000000010000000000000001
            """
        try run(["sh", "-ec", script, "pg_wal/\(names[0])"], in: bench.data)
        let running = try Running(bench.command(["archive-push", "pg_wal/000000010000000000000001"]), in: bench.data)
        try eventually("the push is at work") {
            if let outcome = running.poll() { throw Failure("the push ended too early\n\(outcome)") }
            return try bench.files.unfinished("archive").isEmpty ? nil : true
        }
        kill(running.process, signal)
        let outcome = try running.wait()
        #expect(outcome.status == 63, "\(outcome)")
        #expect(try bench.archived() == ["archive.info", "archive.info.copy"])
        // A driver in another process may still be at it.
        try eventually("nothing unfinished is left") { try bench.files.unfinished("archive").isEmpty ? true : nil }
    }
}
