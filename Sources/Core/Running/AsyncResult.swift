// What an asynchronous piece of work comes to, as a value.

extension Result {
    public init(_ body: () async throws(Failure) -> Success) async {
        do throws(Failure) {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
