// A named check of a contract: runs on a subject and says what is broken. Needs no test framework, so tests, the command line and
// third parties use the same ones.

import BackstopCore
import Synchronization

/// What checks are run on.
public protocol ConformanceSubject: Sendable, CustomStringConvertible {
    /// For people: the driver, the codec with its framing.
    var name: String { get }
    /// Of all random data of a run; a failure tells it, so that it can be had again.
    var seed: UInt64 { get }
    /// Ends what is under way, as well as it can: a check has taken too long.
    func interrupt()
}

extension ConformanceSubject {
    public var description: String { name }
    public func interrupt() {}
}

/// One promise of a contract, with the code that sees whether a subject keeps it.
public struct Check<Subject: ConformanceSubject>: Sendable, CustomStringConvertible {
    /// What must hold, in words; a failure tells it.
    public let name: String
    private let body: @Sendable (Subject, inout Random) async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable (Subject, inout Random) async throws -> Void) {
        self.name = name
        self.body = body
    }

    public var description: String { name }

    /// Runs it. Throws when the subject breaks the contract, also by an error that the contract does not allow.
    public func run(on subject: Subject) async throws(ConformanceFailure) -> Verdict {
        var random = Random(seed: subject.seed)
        do {
            try await body(subject, &random)
            return .passed
        } catch let skip as NotApplicable {
            return .notApplicable(skip.reason)
        } catch let broken as Broken {
            throw ConformanceFailure(check: name, subject: subject.name, seed: subject.seed, reason: broken.reason)
        } catch {
            throw ConformanceFailure(
                check: name, subject: subject.name, seed: subject.seed, reason: "a request fails with \(describe(error))")
        }
    }
}

/// How a check ended that found nothing broken.
public enum Verdict: Sendable, Equatable {
    case passed
    /// The subject does not have, and does not claim to have, what the check looks at.
    case notApplicable(String)
}

/// The subject breaks its contract.
public struct ConformanceFailure: Error, Sendable, CustomStringConvertible {
    /// `Check.name` of the one that failed.
    public let check: String
    /// `name` of the subject that failed it.
    public let subject: String
    /// A subject with this seed meets the same random data again.
    public let seed: UInt64
    /// What was seen in place of what must hold; no full stop.
    public let reason: String

    public var description: String { "\(subject) fails '\(check)': \(reason) (seed \(seed))" }
}

/// Random numbers that are the same for the same seed (SplitMix64).
public struct Random: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// Bytes that no codec makes smaller.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        var words: [UInt64] = []
        words.reserveCapacity(count / 8 + 1)
        for _ in 0..<(count + 7) / 8 { words.append(next()) }
        return words.withUnsafeBytes { Array($0.prefix(count)) }
    }

    /// Bytes of which a codec makes about a half: runs of random and of repeated ones.
    public mutating func compressibleBytes(_ count: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count + 512)
        while result.count < count {
            result += bytes(Int.random(in: 1...256, using: &self))
            result += [UInt8](repeating: UInt8(truncatingIfNeeded: next()), count: Int.random(in: 1...256, using: &self))
        }
        return Array(result.prefix(count))
    }
}

/// A seed that is different for every run.
public func freshSeed() -> UInt64 { UInt64.random(in: 0..<1_000_000_000) }

struct Broken: Error { let reason: String }
struct NotApplicable: Error { let reason: String }

func expect(_ condition: Bool, _ reason: @autoclosure () -> String) throws {
    if !condition { throw Broken(reason: reason()) }
}

func expectSame(_ got: [UInt8], _ wanted: [UInt8], _ what: @autoclosure () -> String) throws {
    if got == wanted { return }
    let same = zip(got, wanted).prefix { $0 == $1 }.count
    throw Broken(reason: "\(what()): got \(got.count) bytes, expected \(wanted.count); they differ from byte \(same) on")
}

func describe(_ error: any Error) -> String {
    guard let error = error as? BackupError else { return "\(error)" }
    return "'\(error.code.rawValue)': \(error)"
}

/// As people write it.
func words(_ range: Range<some BinaryInteger>) -> String { "bytes \(range.lowerBound) up to \(range.upperBound)" }

/// Wants `body` to throw one of `codes`.
func expectError(
    _ codes: BackupError.Code..., from what: @autoclosure () -> String, _ body: () async throws -> Void
) async throws {
    let wanted = codes.map { "'\($0.rawValue)'" }.joined(separator: " or ")
    do {
        try await body()
    } catch let error as BackupError {
        return try expect(codes.contains(error.code), "\(what()) fails with \(describe(error)), expected \(wanted)")
    }
    throw Broken(reason: "\(what()) succeeds, expected \(wanted)")
}

/// What checks find while they are inside of a call of the subject.
final class Findings: Sendable {
    private let found = Mutex<[String]>([])
    func add(_ text: String) { found.withLock { $0.append(text) } }
    func expectNone() throws { if let first = found.withLock({ $0.first }) { throw Broken(reason: first) } }
}
