import BackstopCodecs
import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// One description for a chain that is made here, asked for elsewhere and served there.
struct ChainSpecTests {
    private let registry = {
        var registry = Registry()
        registerBuiltinCodecs(in: &registry)
        return registry
    }()

    private let spec = ChainSpec(steps: [
        .size, .checksum("sha1"), .pages(size: 8192, headerCheck: false), .compress(codec: "lz4", level: 1, .normal),
    ])

    @Test func travels() throws {
        let wire = spec.wire
        #expect(
            wire.text
                == #"[{"tap":"size"},{"tap":"sha1"},{"headerCheck":false,"size":8192,"tap":"pages"},{"codec":"lz4","level":1}]"#)
        #expect(try ChainSpec(wire: wire, registry) == spec)
        let unsaid = try ChainSpec(
            wire: try #require(JSON(parsing: Array(#"[{"codec":"zst"},{"tap":"pages","size":512}]"#.utf8))), registry)
        #expect(unsaid.steps == [.compress(codec: "zst", level: 3, .normal), .pages(size: 512, headerCheck: true)])
    }

    @Test(arguments: [
        "{}", "[1]", #"[{"tap":"pages"}]"#, #"[{"tap":"pages","size":1000}]"#, #"[{"codec":"none of them"}]"#,
        "[" + Array(repeating: #"{"tap":"size"}"#, count: 11).joined(separator: ",") + "]",
    ])
    func refused(_ wire: String) throws {
        let json = try #require(JSON(parsing: Array(wire.utf8)))
        #expect(throws: BackupError.self) { _ = try ChainSpec(wire: json, registry) }
    }

    /// What the same chain finds here, and what is told of it elsewhere.
    @Test func findings() async throws {
        let bytes = [UInt8](repeating: 7, count: 3 * 8192)
        let running = try spec.make(registry)
        running.next(segment: 2)
        var flow = try Flow(BytesSource(bytes), running.chain)
        _ = try await flow.readAll()
        let found = running.found
        #expect(found.size == UInt64(bytes.count) && found.digest.count == 40 && found.isAligned)
        #expect(found.pageErrors == [262_144...262_146])
        let told = try ChainFindings(wire: .object(running.findings), of: spec, most: 1 << 20, segment: 2, file: "f")
        #expect(told == found)
        // Nothing is believed that cannot be.
        for (most, segment) in [(UInt64(100), UInt32(2)), (1 << 20, 1), (1 << 20, 3)] {
            #expect(throws: BackupError.self) {
                _ = try ChainFindings(wire: .object(running.findings), of: spec, most: most, segment: segment, file: "f")
            }
        }
        #expect(throws: BackupError.self) {
            _ = try ChainFindings(wire: .object(["taps": .array([])]), of: spec, most: 1, segment: 0, file: "f")
        }
    }
}
