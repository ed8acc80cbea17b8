package pgpool

type places struct{}

func newPlaces(int32) *places { return &places{} }
