// Two cores carry two servers: a suite with this trait has at most two test cases at work at any moment, all such suites together.

public import Testing

public struct ServerSlots: SuiteTrait, TestTrait, TestScoping {
    public let isRecursive = true

    public func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? { testCase == nil ? nil : self }

    public func provideScope(for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void)
        async throws
    {
        await Slots.shared.take()
        do { try await function() } catch {
            await Slots.shared.give()
            throw error
        }
        await Slots.shared.give()
    }
}

extension Trait where Self == ServerSlots {
    /// Starts servers, so it shares the machine with one other such test only.
    public static var servers: Self { ServerSlots() }
}

private actor Slots {
    static let shared = Slots()
    private var free = 2
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func take() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func give() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
