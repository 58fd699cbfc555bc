%% A controller of OTP's megaco that accepts every registration, and keeps nothing of it but what
%% megaco itself keeps: a connection for each gateway, in memory.
%%
%% Records of megaco are tuples here: their headers are in a package of their own.
-module(controller).
-behaviour(megaco_user).
-export([main/0]).
-export([handle_connect/2, handle_connect/3, handle_disconnect/3, handle_syntax_error/3,
         handle_message_error/3, handle_trans_request/3, handle_trans_long_request/3,
         handle_trans_reply/4, handle_trans_ack/4, handle_unexpected_trans/3,
         handle_trans_request_abort/4]).

main() ->
    ok = megaco:start(),
    Mid = {deviceName, "controller"},
    ok = megaco:start_user(Mid, [{user_mod, ?MODULE}]),
    {ok, Ports} = megaco_flex_scanner:start(),
    Usual = megaco:user_info(Mid, receive_handle),
    megaco_receive_handle = element(1, Usual),
    Handle = lists:foldl(
        fun({At, Value}, Tuple) -> setelement(At, Tuple, Value) end, Usual,
        [{3, megaco_compact_text_encoder}, {4, [{flex, Ports}]}, {5, megaco_udp}]),
    {ok, Transport} = megaco_udp:start_transport(),
    % Room for as many datagrams as the gateway's switch has.
    Socket = [{recbuf, 8388608}, {read_packets, 100}],
    {ok, _, _} = megaco_udp:open(Transport, [{port, 2944}, {udp_options, Socket},
                                             {receive_handle, Handle}]),
    io:format("ready~n"),
    receive after infinity -> ok end.

handle_trans_request(_, _, [Action]) ->
    'ActionRequest' = element(1, Action),
    [Command] = element(5, Action),
    {serviceChangeReq, Change} = element(2, Command),
    None = asn1_NOVALUE,
    Accepted = {serviceChangeResParms, {'ServiceChangeResParm', None, None, None, None, None}},
    Reply = {'ServiceChangeReply', element(2, Change), Accepted},
    {discard_ack, [{'ActionReply', element(2, Action), None, None, [{serviceChangeReply, Reply}]}]}.

handle_connect(_, _) -> ok.
handle_connect(_, _, _) -> ok.
handle_disconnect(_, _, _) -> ok.
handle_syntax_error(_, _, _) -> reply.
handle_message_error(_, _, _) -> no_reply.
handle_trans_long_request(_, _, _) -> {discard_ack, {'ErrorDescriptor', 501, "no"}}.
handle_trans_reply(_, _, _, _) -> ok.
handle_trans_ack(_, _, _, _) -> ok.
handle_unexpected_trans(_, _, _) -> ok.
handle_trans_request_abort(_, _, _, _) -> ok.
